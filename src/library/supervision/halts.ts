import type { CommandMap } from "../../kernel/command.ts";
import type { Entry } from "../../kernel/entry.ts";
import { canonicalText, sha256Of } from "../../runtime/canonical.ts";
import { Gathered } from "../liveness/record.ts";
import type { LivenessView } from "../liveness/view.ts";
import type { Seat } from "../seat.ts";

/** What stands on a halt that was proposed for a verdict, as the run that it is part of. */
const RUN_ID = "liveness";

/** A halt that was proposed for somebody within the window, and has not been outlived. */
export interface Standing {
  readonly seq: number;
  readonly atMs: number;
}

/** The halts that were proposed of late, and who recovered since: as the journal has them. */
export class Proposals {
  readonly #newest: ReadonlyMap<string, Entry<"halt.requested">>;
  readonly #recoveredMs: ReadonlyMap<string, number>;

  constructor(entries: readonly Entry[]) {
    const newest = new Map<string, Entry<"halt.requested">>();
    const recoveredMs = new Map<string, number>();
    for (const entry of entries) {
      if (entry.kind === "worker.recovered") recoveredMs.set(entry.data.worker, entry.at_ms);
      // What a worker asks for is its own word, and keeps nobody from proposing anything.
      const isOne =
        entry.kind === "halt.requested" &&
        entry.data.run_id === RUN_ID &&
        entry.actor.kind !== "worker";
      if (isOne) newest.set(keyOf(entry.data.handle, entry.data.lease), entry);
    }
    this.#newest = newest;
    this.#recoveredMs = recoveredMs;
  }

  /** Reads the proposals of the window before an instant. */
  static async read(
    { store }: Pick<Seat, "store">,
    { nowMs, windowMs }: { readonly nowMs: number; readonly windowMs: number },
  ): Promise<Proposals> {
    const gathered = new Gathered(store.journal);
    await gathered.addSince(nowMs - windowMs + 1);
    return new Proposals(gathered.inOrder());
  }

  /**
   * The proposal that still stands for somebody; undefined where there is none, or where it has
   * got somewhere, or was heard again, since: then another may be made.
   */
  standing(view: LivenessView): Standing | undefined {
    const newest = this.#newest.get(keyOf(view.holder, leaseOf(view)));
    if (newest === undefined) return undefined;
    const { seq, at_ms: atMs } = newest;
    const progressMs = view.progress?.atMs ?? -Infinity;
    const recoveredMs = this.#recoveredMs.get(view.holder) ?? -Infinity;
    return progressMs > atMs || recoveredMs > atMs ? undefined : { seq, atMs };
  }

  /** The newest proposal for somebody, also one that was outlived. */
  newest(view: LivenessView): Standing | undefined {
    const entry = this.#newest.get(keyOf(view.holder, leaseOf(view)));
    return entry === undefined ? undefined : { seq: entry.seq, atMs: entry.at_ms };
  }
}

/** A worker is one whatever it holds; an outside party is known by its lease. */
function keyOf(handle: string, lease: string | undefined): string {
  return canonicalText(handle.startsWith("w-") ? [handle] : [handle, lease ?? null]);
}

function leaseOf({ leases }: LivenessView): string | undefined {
  return leases[0]?.id;
}

/**
 * Has somebody asked to halt, on record. Whoever proposes the same at the same time, for the same
 * reason, means the same entry. Nothing is stopped by it. Answers undefined where another has asked
 * meanwhile, otherwise.
 */
export async function proposeHalt(
  seat: Pick<Seat, "loop" | "owner">,
  view: LivenessView,
  so: { readonly before: Standing | undefined; readonly windowMs: number },
): Promise<number | undefined> {
  const { holder, holderKind, verdict, atMs } = view;
  const lease = leaseOf(view);
  const data: CommandMap["halt.request"] = {
    handle: holder,
    reason: `${verdict}: ${REASONS[view.rule] ?? view.rule}`,
    proposed:
      holderKind === "worker"
        ? `stint stop ${holder}`
        : `stint lease revoke ${lease ?? ""} --reason '${verdict}'`,
    ...(lease === undefined ? {} : { lease }),
    run_id: RUN_ID,
  };
  const { before, windowMs } = so;
  const about = sha256Of(canonicalText([holder, lease ?? null])).slice(0, 24);
  // One proposal follows another, or stands in a window of its own.
  const id = `liveness-${about}-${before?.seq ?? 0}-${Math.floor(atMs / windowMs)}`;
  const answer = await seat.loop.submit({ kind: "halt.request", data }, seat.owner, { id });
  return answer.ok ? answer.seq : undefined;
}

/** Why a halt is proposed, without ages: the same for all who propose it. */
const REASONS: Partial<Readonly<Record<LivenessView["rule"], string>>> = {
  no_progress: "alive, and without progress of its own for longer than its contract has it",
  silent: "it has not beaten for long",
  gone: "its process is seen to be gone",
};
