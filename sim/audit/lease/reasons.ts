import type { Entry, RecordedCommand } from "../../../src/kernel/entry.ts";
import type { JsonObject } from "../../../src/kernel/json.ts";
import type { Holder } from "../../../src/kernel/lease/lease.ts";
import type { Books, Problem } from "../books.ts";
import { hasResource, onGroundOf, type Ground } from "../grounds.ts";
import { promisedSlots } from "../queue/line.ts";
import { placeNamed, wrongInLine, wrongInWait } from "../queue/reasons.ts";
import type { Request } from "./attempting.ts";
import { isLiveAt, isSameHolder, liveAt, type LeaseRow } from "./books.ts";
import type { Scene } from "./holders.ts";

/** What is wrong with the facts of a refusal: whatever it names must be there and be so. */
export function refusalProblems(
  scene: Scene,
  command: RecordedCommand,
  entry: Entry | undefined,
): readonly Problem[] {
  if (entry?.kind !== "command.refused") return [];
  const { code, facts } = entry.data;
  const wrong = wrongIn(scene, command, { code, facts });
  if (wrong === null) return [];
  return [
    { rule: "SM9", message: `the refusal ${code} must tell ${wrong}: ${JSON.stringify(facts)}` },
  ];
}

function wrongIn(
  scene: Scene,
  command: RecordedCommand,
  { code, facts }: { readonly code: string; readonly facts: JsonObject },
): string | null {
  const { books, atMs } = scene;
  if (code === "conflict") return wrongInConflict(scene, command, facts);
  if (code === "slots_full") {
    const { slots, held, next_expires_at_ms = Infinity } = facts;
    const lane = textOf(facts["lane"]);
    const ahead = promisedSlots({ books, atMs, rank: Infinity }, lane);
    const taken = liveAt(books.ground, atMs).filter(
      (row) => row.mode === "slot" && row.lane === lane,
    );
    const isSo =
      held === taken.length &&
      ahead === (facts["waiting_count"] ?? 0) &&
      Number(slots) <= taken.length + ahead &&
      next_expires_at_ms === Math.min(Infinity, ...taken.map(({ expiresAtMs }) => expiresAtMs));
    return isSo ? null : "how many slots are taken, and until when";
  }
  if (code === "lane_unknown") {
    const names = books.ground.rules.lanes.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
    const { lane, nearest } = facts;
    if (names.some((name) => name === lane)) return "a lane that is none";
    const isThere = nearest === undefined || names.some((name) => name === nearest);
    return isThere ? null : "a lane that is there";
  }
  if (code === "rights_exceeded" && typeof facts["witness"] === "string") {
    const { within, got, witness } = facts;
    const isOutside = has(scene, got, witness) && !has(scene, within, witness);
    return isOutside ? null : "a resource that is asked for and not within";
  }
  if (/^(queue_full|wait_deadlock|wait_timeout|place_ended)$/.test(code))
    return wrongInWait(scene, command, { code, facts });
  if (code !== "holder_mismatch" && code !== "fence_stale") return null;
  if (command.kind === "place.keep" || command.kind === "place.leave")
    return placeNamed(books, facts) === undefined ? "a place that stands" : null;
  const row = rowNamed(books, facts);
  if (row === undefined || !isLiveAt(row, atMs)) return "a lease that lives";
  return code === "holder_mismatch" || facts["fence"] === row.fence ? null : "the lease's fence";
}

/** The lease that is named lives, and has what is named; so does what was asked for. */
function wrongInConflict(scene: Scene, command: RecordedCommand, facts: JsonObject): string | null {
  if (facts["mounted"] !== undefined) return wrongInMount(scene, command, facts);
  const asking = askingOf(scene, command);
  if (asking === null) return "nothing";
  const { ground } = scene.books;
  const { also_held } = facts;
  const witness = witnessOf(facts);
  const { holder, grounds: asked } = asking;
  const isAsked = asked.some((one) => has(scene, one, witness));
  if (also_held !== undefined)
    return isAsked && has(scene, also_held, witness) ? null : "what both have";
  if (facts["place"] !== undefined)
    return wrongInLine(scene, facts, {
      holder,
      has: (region) => isAsked && has(scene, region, witness),
    });
  const row = rowNamed(scene.books, facts);
  if (row === undefined || !isLiveAt(row, scene.atMs)) return "a lease that lives";
  if (facts["expires_at_ms"] !== row.expiresAtMs) return "when that lease ends";
  if (facts["own"] !== isSameHolder(holder, row.holder)) return "whether it is the asker's own";
  if (facts["alone"] === true) {
    const { rules } = ground;
    const mayBeAlone = command.kind !== "lease.split" && rules.lanes.some(({ alone }) => alone);
    return row.alone || mayBeAlone ? null : "who is alone";
  }
  return isAsked && has(scene, row.region, witness) ? null : "what both have";
}

/** What is named is mounted, and where it is lapsing it has what was asked for. */
function wrongInMount(scene: Scene, command: RecordedCommand, facts: JsonObject): string | null {
  const { lease_id: id, holder, mounted, witness, alone } = facts;
  const mount = typeof id === "string" ? scene.books.ground.mounts.get(id) : undefined;
  const isIt =
    mount?.worker === holder && JSON.stringify(mount?.region) === JSON.stringify(mounted);
  if (!isIt) return "what is mounted";
  if (facts["lapsing"] !== true || alone === true) return null;
  const asking = askingOf(scene, command);
  if (asking === null) return "nothing lapsing";
  const isAsked = asking.grounds.some((one) => has(scene, one, witness));
  return isAsked && has(scene, mounted, witness) ? null : "what both have";
}

/** The witness as a resource: on the ground of the worktree that it is told with, if any. */
function witnessOf({ witness, worktree }: JsonObject): unknown {
  if (typeof witness !== "string" || typeof worktree !== "string") return witness;
  return onGroundOf(worktree, [witness])[0];
}

function rowNamed({ ground }: Books, { lease_id: id }: JsonObject): LeaseRow | undefined {
  return typeof id === "string" ? ground.rows.get(id) : undefined;
}

/** What somebody asks for, and who; null where a command asks for no ground. */
interface Asking {
  readonly holder: Holder;
  readonly grounds: readonly (readonly string[])[];
}

function askingOf({ books }: Scene, command: RecordedCommand): Asking | null {
  const { rules, rows } = books.ground;
  if (command.kind === "lease.split") {
    const { lease, region, to } = command.data;
    const { worktree = null } = rows.get(lease) ?? {};
    return { holder: { worker: to }, grounds: [onGroundOf(worktree, region)] };
  }
  const request = command.kind === "lease.acquire" ? command.data : waitedFor(books, command);
  if (request === undefined) return null;
  const { holder, region, lanes = [], worktree = "main" } = request;
  const named = rules.lanes.filter(({ name, aliases = [] }) =>
    [name, ...aliases].some((one) => lanes.includes(one)),
  );
  const asked = region === undefined ? named.map((lane) => lane.region) : [region];
  const place = rules.worktrees === "own_ground" ? worktree : null;
  return { holder, grounds: asked.map((patterns) => onGroundOf(place, patterns)) };
}

/** What is asked for again when a place is kept up. */
function waitedFor({ queue }: Books, command: RecordedCommand): Request | undefined {
  if (command.kind !== "place.keep") return undefined;
  const row = queue.rows.get(command.data.place);
  return row && { ...row.ask, holder: row.holder };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function has({ books }: Scene, patterns: unknown, resource: unknown): boolean {
  if (!Array.isArray(patterns) || typeof resource !== "string") return false;
  const { foldsCase } = books.ground;
  return hasResource({ patterns, foldsCase } satisfies Ground, resource);
}
