import type { Budget } from "../../src/kernel/budget/budget.ts";
import type {
  Contract,
  KillCondition,
  LeaseCondition,
  StopCondition,
} from "../../src/kernel/fleet/contract.ts";
import { DEFAULT_CONTRACT } from "../../src/kernel/fleet/contract.ts";
import { contractSchema } from "../../src/protocol/contract.ts";
import type { SeededRandom } from "../../src/testing/seeded-random.ts";
import { KILL_CONDITIONS } from "../audit/conditions.ts";
import { LEASE_CONDITIONS } from "../audit/lease/conditions.ts";

const CONDITIONS: readonly StopCondition[] = [
  { name: "crowd", when: "active_count >= 4" },
  { name: "again", when: 'reason == "again" && depth > 0' },
  { name: "poison", when: 'has(state.part) && state.part == "poison"' },
  // Without a part it fails, and what fails denies.
  { name: "part", description: "fails without a part", when: 'state.part == "rotten"' },
  // A function that no process of this world has.
  { name: "absent" },
];

const BROKEN: readonly StopCondition[] = [
  { name: "syntax", when: "active_count >=" },
  { name: "name", when: "fleet_size > 3" },
  { name: "type", when: "active_count + 1" },
];

/** Makes up a contract that the protocol takes; its bounds are small, so that worlds meet them. */
export function makeContract(random: SeededRandom): Contract {
  const lifetime_ms = random.pick([2_000, 600_000, 3_600_000, 86_400_000, 86_400_000, 86_400_000]);
  const beat_every_ms = random.pick([100, 1_000, 10_000]);
  const contract: Contract = {
    ...DEFAULT_CONTRACT,
    max_depth: random.pick([0, 1, 2, 3, 4, 5]),
    max_replicas: random.pick([1, 2, 3, 5, 8, 8, 16, 16]),
    max_total: random.pick([4, 12, 40, 1_000, 1_000, 1_000]),
    cooldown_ms: random.pick([0, 0, 0, 50, 1_000, 20_000]),
    lifetime_ms,
    register_within_ms: Math.min(lifetime_ms, random.pick([1, 5_000, 30_000, 600_000, 600_000])),
    beat_every_ms,
    reap_after_ms: beat_every_ms * random.pick([3, 5, 10]),
    silent_alive: random.pick(["flag", "stop"]),
    on_orphan: random.pick(["stop", "grandparent", "grandparent", "keep"]),
    quarantine_max_ms: random.pick([1_000, 60_000, 86_400_000]),
    clock_tolerance_ms: random.pick([100, 5_000, 60_000]),
    refusals_per_minute: random.pick([2, 6, 60, 60, 60]),
    allow_degraded: random.pick([[], ["same_user"], ["same_user", "memory", "network"]]),
    budget: random.chance(0.6) ? makeBudget(random, 64) : {},
    default_child: random.chance(0.3) ? { cpu_milli: 2, spawns: 1 } : {},
    stop: random.chance(0.15) ? [random.pick(CONDITIONS)] : [],
    lease_deny_when: random.chance(0.12) ? [aLeaseCondition(random)] : [],
    kill_when: random.chance(0.2) ? [aKillCondition(random)] : [],
    armed_every_ms: random.pick([0, 0, 60_000]),
    armed_action: random.pick(["show", "pause"]),
  };
  // What the protocol would not take never reaches a journal: the next draw may pass.
  return contractSchema.safeParse(contract).success ? contract : makeContract(random);
}

/** Makes up a contract with a stop condition that cannot be enacted. */
export function makeBrokenContract(random: SeededRandom): Contract {
  return { ...makeContract(random), stop: [random.pick(CONDITIONS), random.pick(BROKEN)] };
}

/** Makes up a budget whose amounts go up to about a bound; often it leaves keys out. */
export function makeBudget(random: SeededRandom, most: number): Budget {
  const amount = (): number => random.below(most + 1);
  return {
    ...(random.chance(0.5) ? { cpu_milli: 1 + amount() } : {}),
    ...(random.chance(0.3) ? { memory_bytes: 1 + amount() } : {}),
    ...(random.chance(0.2) ? { processes: 1 + amount() } : {}),
    ...(random.chance(0.4) ? { spawns: amount() } : {}),
    ...(random.chance(0.3) ? { cpu_ms: amount() } : {}),
    ...(random.chance(0.4) ? { units: { tokens: amount() } } : {}),
    ...(random.chance(0.1) ? { lifetime_ms: 1_000 + amount() } : {}),
    ...(random.chance(0.1) ? { wall_ms: 1_000 + amount() } : {}),
  };
}

function aLeaseCondition(random: SeededRandom): LeaseCondition {
  const { denies: _, ...condition } = random.pick(LEASE_CONDITIONS);
  return condition;
}

function aKillCondition(random: SeededRandom): KillCondition {
  const { holds: _, isAboutWorkers: __, ...condition } = random.pick(KILL_CONDITIONS);
  return condition;
}
