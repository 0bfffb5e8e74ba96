import type { Budget } from "../budget/budget.ts";

/** A CEL stop condition, or the name of a function that processes of the library bring along. */
export interface StopCondition {
  readonly name: string;
  readonly description?: string;
  /** CEL source over the admission context; absent for a function condition. */
  readonly when?: string;
}

/** A CEL condition that refuses leases: `lease_condition`. */
export interface LeaseCondition {
  readonly name: string;
  readonly description?: string;
  /** CEL source over the lease context. */
  readonly when: string;
}

/** What may be done when a kill condition has held for its time, the mildest first. */
export const KILL_ACTIONS = ["pause", "quarantine", "stop", "kill"] as const;

/** What is done when a kill condition has held for its time. */
export type KillAction = (typeof KILL_ACTIONS)[number];

/**
 * A CEL condition over live measures: when it has held for `for_ms` without a break, `action`
 * follows. One that names `worker` is asked about each running worker, any other about the fleet.
 */
export interface KillCondition {
  readonly name: string;
  readonly description?: string;
  /** CEL source over the measures. */
  readonly when: string;
  /** How long it must hold without a break, ms; with 0 the first time is enough. */
  readonly for_ms: number;
  readonly action: KillAction;
}

/**
 * The weaknesses of containment that a contract may allow by name: workers that run as the user of
 * the fleet and see its files, and limits, network rights or leases that bind nobody.
 */
export const DEGRADATIONS = [
  "same_user",
  "memory",
  "cpu",
  "processes",
  "network",
  "leases",
] as const;

/** A weakness of containment that a contract may allow by name. */
export type Degradation = (typeof DEGRADATIONS)[number];

/** What may follow from an armed check that has failed. */
export const ARMED_ACTIONS = ["show", "pause"] as const;

/** What sandboxes let workers do beside what each is given. */
export interface SandboxRules {
  /**
   * Folders outside of the fleet's ground that workers may write to: absolute, or `~/…` below the
   * supervisor's home.
   */
  readonly writable: readonly string[];
  /** What a worker may have in its folders for temporary files and its own home, bytes. */
  readonly scratch_bytes: number;
  /** How many descriptors each of its processes may have open. */
  readonly open_files: number;
  /**
   * `guarded`: workers may write to all of the ground, and leases are what they keep to.
   * `enforced`: to what they hold leases on, as far as those are whole folders; the sandbox sees to
   * it.
   */
  readonly leases: "guarded" | "enforced";
  /** `directory`: where leases are enforced, one on a file is granted on its folder. */
  readonly widen: "none" | "directory";
  /** How much of its output is kept, bytes: of more the older half is dropped. */
  readonly output_bytes: number;
}

/** What of the journal stays in its store; the supervisor archives the rest now and then. */
export interface RetentionRules {
  /** Entries that are older are archived, ms; 0: age archives none. */
  readonly keep_ms: number;
  /** So many of the newest stay, others are archived; 0: their number archives none. */
  readonly keep_entries: number;
}

/** When a holder is said to be getting somewhere, and when not. */
export interface LivenessRules {
  /** A holder whose last own progress is younger is advancing, ms. */
  readonly progress_within_ms: number;
  /** How long a holder without progress is young and nothing is said against it, ms. */
  readonly grace_ms: number;
  /** Silent for so long a worker is stalled, ms; 0: for `reap_after_ms`. */
  readonly stalled_after_ms: number;
  /** Without progress for so long a halt is proposed, ms; 0: never. */
  readonly halt_spinning_after_ms: number;
}

/** The policy in force: every bound of a fleet, in wire form (durations in ms). */
export interface Contract {
  readonly max_depth: number;
  readonly max_replicas: number;
  readonly max_total: number;
  readonly cooldown_ms: number;
  readonly lifetime_ms: number;
  readonly register_within_ms: number;
  readonly beat_every_ms: number;
  readonly reap_after_ms: number;
  readonly silent_alive: "flag" | "stop";
  readonly on_orphan: "stop" | "grandparent" | "keep";
  readonly tether_ms: number;
  readonly quarantine_max_ms: number;
  readonly revoke_grace_ms: number;
  readonly revoke_margin_ms: number;
  readonly clock_tolerance_ms: number;
  readonly refusals_per_minute: number;
  readonly allow_degraded: readonly Degradation[];
  /** What a root may be given; an absent key is unlimited. */
  readonly budget: Budget;
  /** What a child gets for a key that its request leaves out. */
  readonly default_child: Budget;
  readonly stop: readonly StopCondition[];
  readonly lease_deny_when: readonly LeaseCondition[];
  readonly kill_when: readonly KillCondition[];
  /** How often a canary is started and killed, to prove that killing works, ms; 0: never. */
  readonly armed_every_ms: number;
  /** What follows when that was not proven: it is shown, or the fleet is paused as well. */
  readonly armed_action: (typeof ARMED_ACTIONS)[number];
  readonly sandbox: SandboxRules;
  readonly liveness: LivenessRules;
  readonly retention: RetentionRules;
}

/**
 * Caches of which a lockfile checks what is read: a worker that writes to them cannot have others,
 * who have one, run what it put there. (pnpm's store is linked into what others run, and
 * cargo takes what lies in its cache as it is.)
 */
const CHECKED_CACHES = ["~/.npm/_cacache", "~/.yarn/berry/cache"];

const DEFAULT_SANDBOX: SandboxRules = {
  writable: CHECKED_CACHES,
  scratch_bytes: 2 ** 30,
  leases: "guarded",
  widen: "none",
  open_files: 16_384,
  output_bytes: 16 * 2 ** 20,
};

const DEFAULT_LIVENESS: LivenessRules = {
  progress_within_ms: 900_000,
  grace_ms: 1_800_000,
  stalled_after_ms: 0,
  halt_spinning_after_ms: 0,
};

/**
 * Nothing is archived unless an operator says so: who copies the store alone for a backup would
 * from then on have a part of the record only.
 */
const DEFAULT_RETENTION: RetentionRules = { keep_ms: 0, keep_entries: 0 };

/** The contract that a fleet starts from: what its operator leaves out is as here. */
export const DEFAULT_CONTRACT: Contract = {
  max_depth: 3,
  max_replicas: 50,
  max_total: 1_000,
  cooldown_ms: 0,
  lifetime_ms: 86_400_000,
  register_within_ms: 30_000,
  beat_every_ms: 10_000,
  reap_after_ms: 100_000,
  silent_alive: "flag",
  on_orphan: "stop",
  tether_ms: 30_000,
  quarantine_max_ms: 86_400_000,
  revoke_grace_ms: 5_000,
  revoke_margin_ms: 1_000,
  clock_tolerance_ms: 5_000,
  refusals_per_minute: 60,
  allow_degraded: [],
  budget: {},
  default_child: {},
  stop: [],
  lease_deny_when: [],
  kill_when: [],
  armed_every_ms: 0,
  armed_action: "show",
  sandbox: DEFAULT_SANDBOX,
  liveness: DEFAULT_LIVENESS,
  retention: DEFAULT_RETENTION,
};

/** What was added to contracts since the first ones were journaled. */
const ADDED: Pick<
  Contract,
  | "lease_deny_when"
  | "kill_when"
  | "armed_every_ms"
  | "armed_action"
  | "sandbox"
  | "liveness"
  | "retention"
> = {
  lease_deny_when: [],
  kill_when: [],
  armed_every_ms: 0,
  armed_action: "show",
  sandbox: DEFAULT_SANDBOX,
  liveness: DEFAULT_LIVENESS,
  retention: DEFAULT_RETENTION,
};

/** A contract as an entry has it, with what older entries could not say. */
export function wholeContract(recorded: Contract): Contract {
  const sandbox = { ...DEFAULT_SANDBOX, ...recorded.sandbox };
  const liveness = { ...DEFAULT_LIVENESS, ...recorded.liveness };
  const retention = { ...DEFAULT_RETENTION, ...recorded.retention };
  return { ...ADDED, ...recorded, sandbox, liveness, retention };
}
