import type { Containment } from "../../compose/record/inspection.ts";
import type { JsonObject } from "../../kernel/json.ts";
import type { State } from "../../kernel/state.ts";
import { InputError } from "../../protocol/input.ts";
import { PROBLEMS } from "../../protocol/problem.ts";
import type { Call, Said } from "../call.ts";
import { checkConfig } from "../doctor/config.ts";
import { describeContainment, lookAtContainment } from "../doctor/containment.ts";
import { checkFleet } from "../doctor/fleet.ts";
import { checkHost } from "../doctor/host.ts";
import { checkMeasures } from "../doctor/measures.ts";
import { skipped, type Check, type CheckStatus } from "../doctor/check.ts";
import { placeFor } from "../place.ts";
import { coloursFor, type Colours } from "../text/colour.ts";
import { paragraphText } from "../text/paragraph.ts";
import { plainText } from "../text/plain.ts";
import { countText } from "../text/size.ts";
import type { Verb } from "../verb.ts";

const doctor: Verb = {
  name: "doctor",
  summary: "Say what works here, what is missing, what that costs and how to get it",
  details:
    "Looks at this host (Node, SQLite, processes, namespaces), at how well it can contain " +
    "workers " +
    "(every rung is tried, control groups are looked for), and at the fleet that is meant, if " +
    "there " +
    "is one: folder, secret, permit, the newest of its journal, clock, supervisor, stint.toml. " +
    "Nothing is changed by it.\n\n" +
    "Exits with 0 when everything works that Stint needs, also where it holds less than it " +
    "could; " +
    "else with 5, and the first code as `data.fault`.",
  examples: ["stint doctor", "stint doctor --json"],
  run,
};

async function run(call: Call): Promise<Said> {
  const host = await checkHost();
  const found = await lookAtContainment();
  const fleet = await checkPlace(call, { host, found });
  const checks = [...host, ...describeContainment(found), ...fleet];
  const failed = checks.find(({ status }) => status === "failed");
  const fault =
    failed === undefined ? null : { code: failed.code ?? "usage", message: failed.detail };
  const exit = failed === undefined ? {} : { exit: PROBLEMS[failed.code ?? "closed"].exit };
  const data = { checks: checks.map((check) => ({ ...check })), fault };
  return { data: data as unknown as JsonObject, text: forPeople(call, checks), ...exit };
}

async function checkPlace(
  call: Call,
  { host, found }: { readonly host: readonly Check[]; readonly found: Containment },
): Promise<readonly Check[]> {
  if (host.some(({ name, status }) => name === "sqlite" && status === "failed"))
    return [skipped("fleet", "cannot be looked at without SQLite")];
  try {
    const { stateDir, root } = await call.place();
    let state: State | undefined;
    const read = async (): Promise<State> => (state = (await call.read()).state);
    const checks = await checkFleet({ stateDir, read });
    const measures = checkMeasures(state?.contract.kill_when ?? [], found);
    return [...checks, ...measures, ...(await checkConfig(root, state))];
  } catch (error) {
    // Without --fleet there need not be one; with it, it was meant.
    if (!(error instanceof InputError) || call.fleetDir !== undefined) throw error;
    const none = skipped("fleet", "there is none here; begin one: stint init");
    return [none, ...(await checkConfig(placeFor(process.cwd()).root, undefined))];
  }
}

const MARKS: Readonly<Record<CheckStatus, string>> = {
  ok: "ok",
  weaker: "weaker",
  failed: "FAILED",
  skipped: "-",
};

const indent = " ".repeat(8);

function forPeople(call: Call, checks: readonly Check[]): string {
  const colours = coloursFor(call.isColour);
  const lines = checks.flatMap((check) => describe(check, { colours, columns: call.columns }));
  const counts = (["failed", "weaker"] as const).flatMap((status) => {
    const { length } = checks.filter((check) => check.status === status);
    return length === 0 ? [] : [`${countText(length, "check", "checks")} ${status}`];
  });
  const summary = counts.length === 0 ? "All is well." : `${counts.join(", ")}.`;
  return [...lines, "", summary].join("\n");
}

function describe(
  check: Check,
  { colours, columns }: { readonly colours: Colours; readonly columns: number },
): readonly string[] {
  const { name, status, detail, costs, remedy } = check;
  const mark = paint(status, colours)(MARKS[status].padEnd(indent.length));
  const more = [
    `${colours.bold(name)}: ${plainText(detail)}`,
    ...(costs === undefined ? [] : [`costs: ${plainText(costs)}`]),
    ...(remedy === undefined ? [] : [`remedy: ${plainText(remedy)}`]),
  ];
  const wrapped = more.flatMap((text) => paragraphText(text, columns - indent.length).split("\n"));
  return wrapped.map((line, index) => (index === 0 ? mark : indent) + line);
}

function paint(status: CheckStatus, colours: Colours): (text: string) => string {
  if (status === "ok") return colours.green;
  if (status === "weaker") return colours.yellow;
  return status === "failed" ? colours.red : colours.dim;
}

/** The verb that says what is missing. */
export const VERBS: readonly Verb[] = [doctor];
