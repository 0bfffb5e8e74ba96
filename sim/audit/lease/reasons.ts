import type { Entry, RecordedCommand } from "../../../src/kernel/entry.ts";
import type { JsonObject } from "../../../src/kernel/json.ts";
import type { Books, Problem } from "../books.ts";
import { hasResource, onGroundOf, type Ground } from "../grounds.ts";
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
    const { lane, slots, held, next_expires_at_ms } = facts;
    const taken = liveAt(books.ground, atMs).filter(
      (row) => row.mode === "slot" && row.lane === lane,
    );
    const isSo =
      held === taken.length &&
      Number(slots) <= taken.length &&
      next_expires_at_ms === Math.min(...taken.map(({ expiresAtMs }) => expiresAtMs));
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
  if (code !== "holder_mismatch" && code !== "fence_stale") return null;
  const row = rowNamed(books, facts);
  if (row === undefined || !isLiveAt(row, atMs)) return "a lease that lives";
  return code === "holder_mismatch" || facts["fence"] === row.fence ? null : "the lease's fence";
}

/** The lease that is named lives, and has what is named; so does what was asked for. */
function wrongInConflict(scene: Scene, command: RecordedCommand, facts: JsonObject): string | null {
  if (facts["mounted"] !== undefined) return wrongInMount(scene, command, facts);
  if (command.kind !== "lease.acquire" && command.kind !== "lease.split") return "nothing";
  const { ground } = scene.books;
  const { also_held } = facts;
  const witness = witnessOf(facts);
  const asked = askedGrounds(scene, command);
  const isAsked = asked.some((one) => has(scene, one, witness));
  if (also_held !== undefined)
    return isAsked && has(scene, also_held, witness) ? null : "what both have";
  const row = rowNamed(scene.books, facts);
  if (row === undefined || !isLiveAt(row, scene.atMs)) return "a lease that lives";
  if (facts["expires_at_ms"] !== row.expiresAtMs) return "when that lease ends";
  const holder =
    command.kind === "lease.acquire" ? command.data.holder : { worker: command.data.to };
  if (facts["own"] !== isSameHolder(holder, row.holder)) return "whether it is the asker's own";
  if (facts["alone"] === true) {
    const { rules } = ground;
    const mayBeAlone = command.kind === "lease.acquire" && rules.lanes.some(({ alone }) => alone);
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
  if (command.kind !== "lease.acquire" && command.kind !== "lease.split") return "nothing lapsing";
  const isAsked = askedGrounds(scene, command).some((one) => has(scene, one, witness));
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

function askedGrounds(
  { books: { ground } }: Scene,
  command: Extract<RecordedCommand, { readonly kind: "lease.acquire" | "lease.split" }>,
): readonly (readonly string[])[] {
  if (command.kind === "lease.split") {
    const { lease, region } = command.data;
    return [onGroundOf(ground.rows.get(lease)?.worktree ?? null, region)];
  }
  const { region, lanes = [], worktree = "main" } = command.data;
  const named = ground.rules.lanes.filter(({ name, aliases = [] }) =>
    [name, ...aliases].some((one) => lanes.includes(one)),
  );
  const asked = region === undefined ? named.map((lane) => lane.region) : [region];
  const place = ground.rules.worktrees === "own_ground" ? worktree : null;
  return asked.map((patterns) => onGroundOf(place, patterns));
}

function has({ books }: Scene, patterns: unknown, resource: unknown): boolean {
  if (!Array.isArray(patterns) || typeof resource !== "string") return false;
  const { foldsCase } = books.ground;
  return hasResource({ patterns, foldsCase } satisfies Ground, resource);
}
