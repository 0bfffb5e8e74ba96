import { openServiceRoll, serviceKeeper, type ServiceRoll } from "../../compose/service.ts";
import { nearest } from "../../kernel/lane/nearest.ts";
import type { Expected } from "../../kernel/roster/roster.ts";
import { startService, stopService, type ServiceActed } from "../../library/service/acting.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { SYSTEM_TIMERS } from "../../runtime/timers.ts";
import type { Call, Said } from "../call.ts";
import { durationText } from "../text/duration.ts";
import { tableText } from "../text/table.ts";

/** What was asked for about services. */
export interface ServiceOrder {
  readonly action: "start" | "stop";
  readonly name: string | undefined;
  readonly isAll: boolean;
  /** How long the outcome of each is waited for, ms; undefined: by its interval. */
  readonly withinMs: number | undefined;
  readonly isYes: boolean;
}

/** How long an outcome is waited for at least, ms. */
const withinMsMin = 30_000;

/** A service is silent after so many intervals; one more, and what was said has come around. */
const intervalsWaited = 4;

/** Exit codes of what was not done, worst last. */
const EXITS = { not_installed: 4, start: 5, stop: 6 } as const;

/** Starts or stops one service, or all, one after the other, and says what was seen of each. */
export async function actOnServices(call: Call, order: ServiceOrder): Promise<Said> {
  const fleet = await call.openFleet({ supervisor: "start", steward: false });
  const { expected } = (await call.read()).state.roster;
  const meant = chosen(expected, order);
  const { stateDir, root } = await call.place();
  const roll = await openServiceRoll(stateDir);
  try {
    if (order.action === "stop") await agree(call, { roll, meant, isYes: order.isYes });
    const acted: ServiceActed[] = [];
    for (const one of meant) {
      if (call.signal.aborted) break;
      call.note(`${order.action === "start" ? "starting" : "stopping"} ${one.name} …`);
      const done = await act(call, order, { roll, one, root });
      acted.push(done);
      const noted = await fleet.submit({ kind: "service.note", data: done });
      // What was done is done: that it is not on record is told beside it.
      if (!noted.ok) call.note(`${one.name}: not on record: ${noted.refusal.message}`);
      call.line({ kind: "service", ...done });
    }
    return said(acted);
  } finally {
    await roll.close();
  }
}

function act(
  call: Call,
  { action, withinMs }: ServiceOrder,
  {
    roll,
    one,
    root,
  }: { readonly roll: ServiceRoll; readonly one: Expected; readonly root: string },
): Promise<ServiceActed> {
  const world = {
    keeper: serviceKeeper(one, root),
    heard: (name: string) => roll.heard(name),
    timers: SYSTEM_TIMERS,
    nowMs: () => performance.now(),
    withinMs: withinMs ?? Math.max(withinMsMin, intervalsWaited * one.every_ms),
    signal: call.signal,
  };
  return action === "start" ? startService(one.name, world) : stopService(one.name, world);
}

/** The services that are meant, in the order in which they are to be taken. */
function chosen(
  expected: readonly Expected[],
  { action, name, isAll }: ServiceOrder,
): readonly Expected[] {
  if (isAll === (name !== undefined))
    throw wrong("NAME", "one service, or --all", isAll ? "both" : "neither");
  const kept = expected.filter((one) => (one.unit ?? one[action]) !== undefined);
  if (isAll && kept.length === 0)
    throw wrong("--all", `a service with a unit or a ${action} command in the roster`, "none");
  if (isAll) return action === "start" ? kept : kept.toReversed();
  const one = expected.find((service) => service.name === name);
  if (one !== undefined) return [one];
  const like = nearest(
    name ?? "",
    expected.map((service) => service.name),
  );
  const hint = like === undefined ? "" : `; did you mean "${like}"?`;
  const put = "[roster] of stint.toml, put in force by `stint contract enact`";
  throw wrong("NAME", `a service of the roster (${put})${hint}`, describeValue(name));
}

/** Says who is heard of what is to be stopped, and has it agreed to. */
async function agree(
  call: Call,
  so: {
    readonly roll: ServiceRoll;
    readonly meant: readonly Expected[];
    readonly isYes: boolean;
  },
): Promise<void> {
  for (const { name } of so.meant) {
    const heard = (await so.roll.heard(name)) ?? [];
    const live = heard.filter(({ status }) => status !== "stopped" && status !== "unknown");
    const who = live.map(({ instance, status }) => `${instance} (${status})`).join(", ");
    call.note(`${name}: ${who === "" ? "no instance is heard" : who}`);
  }
  await call.confirm("Stop them?", so.isYes);
}

function said(acted: readonly ServiceActed[]): Said {
  const data = { services: acted.map((one) => ({ ...one })) };
  const text = tableText({
    rows: acted,
    columns: [
      { head: "SERVICE", cell: ({ name }) => name },
      { head: "OUTCOME", cell: ({ outcome }) => outcome },
      { head: "TOOK", cell: ({ took_ms: tookMs }) => durationText(tookMs) },
      { head: "WHY", cell: ({ detail = "" }) => detail },
    ],
  });
  return { data, text, exit: Math.max(0, ...acted.map(exitOf)) };
}

function exitOf({ outcome, action }: ServiceActed): number {
  if (outcome === "not_installed") return EXITS.not_installed;
  return outcome === "failed" ? EXITS[action] : 0;
}

function wrong(path: string, expected: string, got: string): InputError {
  return new InputError("usage", [{ path, expected, got }]);
}
