import { z } from "zod";
import type { Budget } from "../kernel/budget/budget.ts";
import {
  ARMED_ACTIONS,
  DEFAULT_CONTRACT,
  KILL_ACTIONS,
  type Contract,
  DEGRADATIONS,
  type KillCondition,
  type LeaseCondition,
  type StopCondition,
} from "../kernel/fleet/contract.ts";
import { LIMITS } from "../kernel/limits.ts";
import { budgetSchema } from "./budget.ts";
import { parserOf, type Parser } from "./parse.ts";
import { integer, oneOf, partialRecord, record, text, plainName } from "./scalar.ts";

const stopCondition = record({
  name: plainName,
  description: text(LIMITS.noteBytesMax).optional(),
  when: text(LIMITS.conditionSourceBytesMax, 1).optional(),
}) as unknown as z.ZodType<StopCondition>;

const leaseCondition = record({
  name: plainName,
  description: text(LIMITS.noteBytesMax).optional(),
  when: text(LIMITS.conditionSourceBytesMax, 1),
}) as unknown as z.ZodType<LeaseCondition>;

const killCondition = record({
  name: plainName,
  description: text(LIMITS.noteBytesMax).optional(),
  when: text(LIMITS.conditionSourceBytesMax, 1),
  for_ms: integer(0, LIMITS.killConditionForMsMax),
  action: oneOf(KILL_ACTIONS),
}) as unknown as z.ZodType<KillCondition>;

/** Named conditions, no two of one name. */
function conditions<T extends { readonly name: string }>(
  condition: z.ZodType<T>,
  so: { readonly noun: string; readonly countMax: number },
): z.ZodType<T[]> {
  const { noun, countMax } = so;
  return z
    .array(condition, { error: `an array of ${noun}` })
    .max(countMax, { error: `an array of at most ${countMax} ${noun}` })
    .superRefine((given, context) => {
      const seen = new Set<string>();
      for (const [index, { name }] of given.entries()) {
        if (seen.has(name))
          context.addIssue({ code: "custom", path: [index, "name"], message: "unlike the others" });
        seen.add(name);
      }
    });
}

/** A folder outside of the ground: where it is must not depend on where somebody stands. */
const folder = text(LIMITS.folderBytesMax, 1).refine(
  (path) => /^(?!.*\/\.\.?(?:\/|$))~?\/[^\0]*$/s.test(path),
  { error: 'an absolute path, or one that begins with "~/", without "." and ".."' },
);

const sandbox = record({
  writable: z
    .array(folder, { error: "an array of folders" })
    .max(LIMITS.writableFoldersMax, { error: `at most ${LIMITS.writableFoldersMax} folders` })
    .default([...DEFAULT_CONTRACT.sandbox.writable]),
  scratch_bytes: integer(LIMITS.scratchBytesMin, LIMITS.scratchBytesMax).default(
    DEFAULT_CONTRACT.sandbox.scratch_bytes,
  ),
  leases: oneOf(["guarded", "enforced"]).default(DEFAULT_CONTRACT.sandbox.leases),
  widen: oneOf(["none", "directory"]).default(DEFAULT_CONTRACT.sandbox.widen),
  open_files: integer(LIMITS.openFilesMin, LIMITS.openFilesMax).default(
    DEFAULT_CONTRACT.sandbox.open_files,
  ),
  output_bytes: integer(LIMITS.outputBytesMin, LIMITS.outputBytesMax).default(
    DEFAULT_CONTRACT.sandbox.output_bytes,
  ),
});

const liveness = record({
  progress_within_ms: integer(LIMITS.livenessMsMin, LIMITS.livenessMsMax).default(
    DEFAULT_CONTRACT.liveness.progress_within_ms,
  ),
  grace_ms: integer(0, LIMITS.livenessMsMax).default(DEFAULT_CONTRACT.liveness.grace_ms),
  stalled_after_ms: integer(0, LIMITS.livenessMsMax).default(
    DEFAULT_CONTRACT.liveness.stalled_after_ms,
  ),
  halt_spinning_after_ms: integer(0, LIMITS.livenessMsMax).default(
    DEFAULT_CONTRACT.liveness.halt_spinning_after_ms,
  ),
});

const retention = record({
  keep_ms: integer(0, LIMITS.retentionMsMax).default(DEFAULT_CONTRACT.retention.keep_ms),
  keep_entries: integer(0, LIMITS.retentionEntriesMax).default(
    DEFAULT_CONTRACT.retention.keep_entries,
  ),
});

const shape = {
  max_depth: integer(LIMITS.depthMin, LIMITS.depthMax),
  max_replicas: integer(LIMITS.replicasMin, LIMITS.replicasMax),
  max_total: integer(LIMITS.totalMin, LIMITS.totalMax),
  cooldown_ms: integer(0, LIMITS.cooldownMsMax),
  lifetime_ms: integer(LIMITS.lifetimeMsMin, LIMITS.lifetimeMsMax),
  register_within_ms: integer(LIMITS.registerWithinMsMin, LIMITS.registerWithinMsMax),
  beat_every_ms: integer(LIMITS.beatEveryMsMin, LIMITS.beatEveryMsMax),
  reap_after_ms: integer(LIMITS.staleBeats * LIMITS.beatEveryMsMin, LIMITS.reapAfterMsMax),
  silent_alive: oneOf(["flag", "stop"]),
  on_orphan: oneOf(["stop", "grandparent", "keep"]),
  tether_ms: integer(LIMITS.tetherMsMin, LIMITS.tetherMsMax),
  quarantine_max_ms: integer(LIMITS.quarantineMsMin, LIMITS.quarantineMsMax),
  revoke_grace_ms: integer(0, LIMITS.revokeMsMax),
  revoke_margin_ms: integer(0, LIMITS.revokeMsMax),
  clock_tolerance_ms: integer(LIMITS.clockToleranceMsMin, LIMITS.clockToleranceMsMax),
  refusals_per_minute: integer(LIMITS.refusalsPerMinuteMin, LIMITS.refusalsPerMinuteMax),
  allow_degraded: z
    .array(oneOf(DEGRADATIONS), { error: "an array of names" })
    .max(DEGRADATIONS.length, { error: `an array of at most ${DEGRADATIONS.length} names` }),
  budget: budgetSchema,
  default_child: budgetSchema,
  stop: conditions(stopCondition, {
    noun: "stop conditions",
    countMax: LIMITS.stopConditionsMax,
  }),
  lease_deny_when: conditions(leaseCondition, {
    noun: "conditions on leases",
    countMax: LIMITS.leaseConditionsMax,
  }),
  kill_when: conditions(killCondition, {
    noun: "kill conditions",
    countMax: LIMITS.killConditionsMax,
  }),
  armed_every_ms: integer(0, LIMITS.armedEveryMsMax),
  armed_action: oneOf(ARMED_ACTIONS),
  sandbox,
  liveness,
  retention,
};

const complete = record(shape).superRefine((contract, context) => {
  for (const { path, message } of mismatches(contract))
    context.addIssue({ code: "custom", path: [...path], message });
}) as unknown as z.ZodType<Contract>;

const partial = partialRecord(shape)
  .transform((given) => withDefaults(given as unknown as Partial<Contract>))
  .pipe(complete as unknown as z.ZodType<Contract, Contract>);

/**
 * Fills in what a contract leaves out. Where a default would contradict what is given it yields:
 * a short life has a shorter time to register, slow beats have a later reaping.
 */
function withDefaults(given: Partial<Contract>): Contract {
  const named = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as Partial<Contract>;
  const filled: Contract = { ...DEFAULT_CONTRACT, ...named };
  const { lifetime_ms, beat_every_ms } = filled;
  return {
    ...filled,
    register_within_ms:
      named.register_within_ms ?? Math.min(DEFAULT_CONTRACT.register_within_ms, lifetime_ms),
    reap_after_ms:
      named.reap_after_ms ??
      Math.max(DEFAULT_CONTRACT.reap_after_ms, LIMITS.staleBeats * beat_every_ms),
  };
}

interface Mismatch {
  readonly path: readonly string[];
  /** Completes "must be …". */
  readonly message: string;
}

/** Where fields contradict each other that are each within their own bounds. */
function* mismatches(contract: Contract): Generator<Mismatch, void, undefined> {
  const { lifetime_ms, register_within_ms, beat_every_ms, reap_after_ms } = contract;
  const reapMin = LIMITS.staleBeats * beat_every_ms;
  if (reap_after_ms < reapMin)
    yield {
      path: ["reap_after_ms"],
      message: `at least ${LIMITS.staleBeats} beats of ${beat_every_ms} ms (${reapMin})`,
    };
  const { armed_every_ms: everyMs } = contract;
  if (everyMs !== 0 && everyMs < LIMITS.armedEveryMsMin)
    yield {
      path: ["armed_every_ms"],
      message: `0, or at least a minute (${LIMITS.armedEveryMsMin})`,
    };
  yield* retentionTooShort(contract);
  if (register_within_ms > lifetime_ms)
    yield {
      path: ["register_within_ms"],
      message: `at most the lifetime of a worker (${lifetime_ms})`,
    };
  for (const field of ["budget", "default_child"] as const) {
    const own = contract[field].lifetime_ms;
    if (own !== undefined && own > lifetime_ms)
      yield {
        path: [field, "lifetime_ms"],
        message: `at most the lifetime of a worker (${lifetime_ms})`,
      };
  }
  yield* defaultsAboveBudget(contract);
}

/** What is asked for every day must be in the store, wherever the archive is. */
function* retentionTooShort({ retention }: Contract): Generator<Mismatch, void, undefined> {
  const { keep_ms: keepMs, keep_entries: keepEntries } = retention;
  if (keepMs !== 0 && keepMs < LIMITS.retentionMsMin)
    yield {
      path: ["retention", "keep_ms"],
      message: `0, or at least a day and an hour (${LIMITS.retentionMsMin})`,
    };
  if (keepEntries !== 0 && keepEntries < LIMITS.retentionEntriesMin)
    yield {
      path: ["retention", "keep_entries"],
      message: `0, or at least ${LIMITS.retentionEntriesMin}`,
    };
}

/** A default that no root could hand to a child would refuse every request that relies on it. */
function* defaultsAboveBudget(contract: Contract): Generator<Mismatch, void, undefined> {
  const { budget, default_child } = contract;
  const above = (path: readonly string[], limit: number): Mismatch => ({
    path: ["default_child", ...path],
    message: `at most what a root may have (${limit})`,
  });
  for (const key of Object.keys(default_child) as (keyof Budget)[]) {
    if (key === "units") continue;
    const [amount, limit] = [default_child[key], budget[key]];
    if (amount !== undefined && limit !== undefined && amount > limit) yield above([key], limit);
  }
  for (const [unit, amount] of Object.entries(default_child.units ?? {})) {
    const limit = budget.units?.[unit];
    if (limit !== undefined && amount > limit) yield above(["units", unit], limit);
  }
}

/** The schema of a whole contract, as it is journaled. */
export const contractSchema: z.ZodType<Contract> = complete;

/** Parses the fields of a contract that differ from the defaults into a whole one. */
export const parseContract: Parser<Contract> = parserOf("contract", partial);
