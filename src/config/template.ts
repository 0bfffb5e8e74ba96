import { DEFAULT_CONTRACT, DEGRADATIONS } from "../kernel/fleet/contract.ts";
import { DEFAULT_GROUND_RULES } from "../kernel/lane/lane.ts";
import { linesOf } from "./contract-text.ts";
import { CONTRACT_FIELDS, LIVENESS_FIELDS, RETENTION_FIELDS, SANDBOX_FIELDS } from "./field.ts";

/** The text of the config that `init` writes: everything explained, defaults commented out. */
export function writeTemplate(so: {
  readonly name: string;
  /** Whether this host's sandboxes do not keep workers apart from the user: must be allowed. */
  readonly isSameUser: boolean;
}): string {
  const allowed = 'allow_degraded = ["same_user", "network"]';
  return [
    "# What this repository proposes to its fleet of workers. Nothing here is in force until",
    "# `stint contract enact` puts it in force; `stint contract show` says what is.",
    '# Durations are texts such as "90s" or "1h30m", sizes such as "2GiB".',
    "",
    "[fleet]",
    `name = ${JSON.stringify(so.name)}`,
    '# store = "sqlite"',
    "# fold_case = true             # names that differ in case alone are one, for good",
    "",
    "[contract]",
    ...templateFields(),
    ...(so.isSameUser
      ? [
          "# No sandbox of this machine keeps a worker from the files of its user, or from the",
          "# network. Without this starts are refused (containment_too_weak); `stint doctor` says",
          "# how to get better. By default none is accepted.",
          allowed,
        ]
      : [
          "# Weaknesses of containment that are accepted by name, of",
          `# ${listed(DEGRADATIONS)}:`,
          `# allow_degraded = ${JSON.stringify(DEFAULT_CONTRACT.allow_degraded)}`,
        ]),
    "",
    "# The network of a worker is not of the contract but of its start: `--network none`,",
    "# `controller` (the supervisor alone) or `open`. `stint run` asks for open, `stint spawn` for",
    "# controller; a child has at most its parent's.",
    "",
    ...BUDGETS,
    "# Who is getting somewhere: without progress of its own for so long nobody is advancing any",
    "# more, and is said to be spinning when its grace is over. A worker that is silent for",
    '# `stalled_after` is stalled ("0s": for reap_after); a halt is proposed for who has spun for',
    '# `halt_spinning_after` ("0s": never).',
    "# [contract.liveness]",
    ...linesOf(DEFAULT_CONTRACT.liveness, LIVENESS_FIELDS).map((line) => `# ${line}`),
    "",
    ...CONDITIONS,
    ...GROUND,
    "# Workers write to the fleet's ground, to their own /tmp and home, which go with them, and to",
    "# these folders of the host. Others than such caches let one worker change what another, or",
    "# you, will run. With leases enforced they write to no ground but what they hold leases on;",
    "# widened, a lease on a file is one on its folder.",
    "# [sandbox]",
    ...linesOf(DEFAULT_CONTRACT.sandbox, SANDBOX_FIELDS).map((line) => `# ${line}`),
    "",
    "# Entries of the journal that are older, or beyond so many, are moved into the archive by the",
    '# supervisor ("0s" and 0: none are). Back up the folder `segments` with the store then.',
    "# [retention]",
    ...linesOf(DEFAULT_CONTRACT.retention, RETENTION_FIELDS).map((line) => `# ${line}`),
    "",
    "# What `stint supervise --plan` aims at, and `--apply` carries out: so many workers on these",
    "# lanes, each started by this command under a lease on its lane. Never in force by itself.",
    "# [supervise]",
    "# target = 2",
    '# lanes = ["api", "tests"]     # in this order; without it all lanes',
    '# template = ["./agent.sh", "{lane}"]',
    "",
  ].join("\n");
}

const BUDGETS: readonly string[] = [
  "# What each root worker may have, its descendants included. What is left out is unlimited.",
  "# [contract.budget]",
  "# cpu = 2.0",
  '# memory = "2GiB"',
  "# processes = 256",
  '# wall = "1h"',
  "# spawns = 100",
  "# units.tokens = 1000000",
  "",
  "# What a child gets where its request says nothing.",
  "# [contract.default_child]",
  '# memory = "256MiB"',
  "",
];

const CONDITIONS: readonly string[] = [
  "# Who may not be admitted: CEL over the candidate and the fleet; true refuses.",
  "# [[contract.stop]]",
  '# name = "few-siblings"',
  '# description = "No parent has more than 5 children"',
  '# when = "parent != null && parent.children_count >= 5"',
  "",
  "# Which leases are refused: CEL over who asks for what; true refuses.",
  "# [[contract.lease_deny_when]]",
  '# name = "few-leases"',
  '# description = "Nobody holds more than 3 leases"',
  '# when = "held >= 3"',
  "",
  "# What is done about who was admitted: CEL over live measures; what has held so long, acts.",
  "# [[contract.kill_when]]",
  '# name = "busy"',
  '# description = "No worker uses more than 3 cores for a minute"',
  '# when = "has(worker.cpu_milli) && worker.cpu_milli > 3000"',
  '# for = "1m"',
  '# action = "quarantine"       # "pause", "quarantine", "stop" or "kill"',
  "",
];

const REQUIRE_MEANING = "true: ground that nobody has leased is writable for nobody";
const WORKTREES_MEANING = '"own_ground": each worktree has ground of its own';

const GROUND: readonly string[] = [
  "# Ground with a name, to be leased by it: `stint lease acquire --lane api`. Patterns are those",
  "# of `stint region`; `stint lane ls` shows the lanes in force.",
  "# [lanes.api]",
  '# description = "The HTTP interface"',
  '# paths = ["src/api/**", "docs/api.md"]',
  '# exclude = ["src/api/generated/**"]',
  '# aliases = ["http"]',
  "",
  "# [lanes.tests]",
  '# paths = ["tests/**"]',
  "# slots = 2                    # so many may hold it at once",
  "",
  "# [lanes.release]",
  '# paths = ["CHANGELOG.md"]',
  "# alone = true                 # nobody else holds anything meanwhile",
  "",
  "# [leases]",
  explained(`require = ${JSON.stringify(DEFAULT_GROUND_RULES.require)}`, REQUIRE_MEANING),
  "",
  "# [repository]",
  explained(`worktrees = ${JSON.stringify(DEFAULT_GROUND_RULES.worktrees)}`, WORKTREES_MEANING),
  "",
];

const MEANINGS: Readonly<Record<string, string>> = {
  max_depth: "generations below a root",
  max_replicas: "workers alive or reserved at once",
  max_total: "workers ever admitted",
  cooldown: "a parent waits so long between two children",
  lifetime: "no worker lives longer",
  register_within: "a worker that was admitted must have come by then",
  beat_every: "how often a worker gives a sign of life; silent for 3 of them: stale",
  reap_after: "silent for so long, and not seen alive: stopped",
  silent_alive: 'silent but seen alive: "flag" or "stop"',
  on_orphan: 'descendants of the dead: "stop", "grandparent" or "keep"',
  tether: "a supervisor without an answer of its store for so long ends its workers",
  armed_every: "how often a canary is killed, to prove that it can be; 0 is never",
  armed_action: 'what follows when it cannot: "show" or "pause"',
  quarantine_max: "a quarantine ends by then, one way or the other",
  revoke_grace: "with enforced leases: whoever has files open there for longer is ended",
  revoke_margin: "binds nothing in this version",
  clock_tolerance: "a wall clock that is wrong by more stops all writing",
  refusals_per_minute: "an actor that was refused so often is rate_limited until the minute ends",
};

/** A default as a comment, with what it means. */
function explained(line: string, meaning: string): string {
  return `# ${line.padEnd(28)} # ${meaning}`;
}

function listed(words: readonly string[]): string {
  return words.map((word) => JSON.stringify(word)).join(", ");
}

function templateFields(): readonly string[] {
  const lines = linesOf(DEFAULT_CONTRACT, CONTRACT_FIELDS).map((line) => {
    const meaning = MEANINGS[line.split(" ", 1)[0] ?? ""];
    return meaning === undefined ? undefined : explained(line, meaning);
  });
  return lines.filter((line) => line !== undefined);
}
