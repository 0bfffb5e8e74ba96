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

/**
 * The weaknesses of containment that a contract may allow by name: workers that run as the user of
 * the fleet and see its files, and limits or network rights that were asked for and bind nobody.
 */
export const DEGRADATIONS = ["same_user", "memory", "cpu", "processes", "network"] as const;

/** A weakness of containment that a contract may allow by name. */
export type Degradation = (typeof DEGRADATIONS)[number];

/** What sandboxes let workers do beside what each is given. */
export interface SandboxRules {
  /**
   * Folders outside of the fleet's ground that workers may write to: absolute, or `~/…` below the
   * supervisor's home.
   */
  readonly writable: readonly string[];
  /** What a worker may have in its folders for temporary files and its own home, bytes. */
  readonly scratch_bytes: number;
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
  readonly sandbox: SandboxRules;
}

/**
 * Caches of which a lockfile checks what is read: a worker that writes to them cannot have others,
 * who have one, run what it put there. (pnpm's store is linked into what others run, and
 * cargo takes what lies in its cache as it is.)
 */
const CHECKED_CACHES = ["~/.npm/_cacache", "~/.yarn/berry/cache"];

const DEFAULT_SANDBOX: SandboxRules = { writable: CHECKED_CACHES, scratch_bytes: 2 ** 30 };

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
  sandbox: DEFAULT_SANDBOX,
};

/** What was added to contracts since the first ones were journaled. */
const ADDED: Pick<Contract, "lease_deny_when" | "sandbox"> = {
  lease_deny_when: [],
  sandbox: DEFAULT_SANDBOX,
};

/** A contract as an entry has it, with what older entries could not say. */
export function wholeContract(recorded: Contract): Contract {
  return { ...ADDED, ...recorded };
}
