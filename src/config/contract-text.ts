import { DEFAULT_CONTRACT, type Contract, type StopCondition } from "../kernel/fleet/contract.ts";
import type { Budget } from "../kernel/budget/budget.ts";
import { writeCores, writeDuration, writeSize } from "./amount.ts";
import { BUDGET_FIELDS, CONTRACT_FIELDS, type Field, type Form } from "./field.ts";

/** The fields of a journaled document, by their names there. */
type Document = Contract | Budget;

/** Writes a contract as the tables of a config, whole: reading it gives the same contract. */
export function writeContract(contract: Contract): string {
  const { budget, default_child, stop } = contract;
  return [
    "[contract]",
    ...linesOf(contract, CONTRACT_FIELDS),
    ...tableOf("contract.budget", budget),
    ...tableOf("contract.default_child", default_child),
    ...stop.flatMap(stopLines),
    "",
  ].join("\n");
}

/** One field in which two contracts differ, as a config writes both values. */
export interface ContractChange {
  readonly field: string;
  /** Absent where there was, or will be, none. */
  readonly before?: string;
  readonly after?: string;
}

/** What enacting `after` would change in `before`, in the order of the fields. */
export function diffContracts(before: Contract, after: Contract): readonly ContractChange[] {
  const [old, next] = [before, after].map(flatten);
  const fields = new Set([...(old?.keys() ?? []), ...(next?.keys() ?? [])]);
  return [...fields].flatMap((field): ContractChange[] => {
    const [was, will] = [old?.get(field), next?.get(field)];
    if (was === will) return [];
    return [
      {
        field,
        ...(was === undefined ? {} : { before: was }),
        ...(will === undefined ? {} : { after: will }),
      },
    ];
  });
}

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
    "",
    "[contract]",
    ...templateFields(),
    ...(so.isSameUser
      ? [
          "# No sandbox of this machine keeps a worker from the files of its user, or from the",
          "# network. Without this starts are refused (containment_too_weak); `stint doctor` says",
          "# how to get better.",
          allowed,
        ]
      : ["# Weaknesses of containment that are accepted by name:", `# ${allowed}`]),
    "",
    "# The network of a worker is not of the contract but of its start: `--network none`,",
    "# `controller` (the supervisor alone) or `open`. `stint run` asks for open, `stint spawn` for",
    "# controller; a child has at most its parent's.",
    "",
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
    "# Who may not be admitted: CEL over the candidate and the fleet; true refuses.",
    "# [[contract.stop]]",
    '# name = "few-siblings"',
    '# description = "No parent has more than 5 children"',
    '# when = "parent != null && parent.children_count >= 5"',
    "",
  ].join("\n");
}

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
  quarantine_max: "a quarantine ends by then, one way or the other",
  refusals_per_minute: "more of one actor are answered, but not journaled one by one",
};

function templateFields(): readonly string[] {
  const lines = linesOf(DEFAULT_CONTRACT, CONTRACT_FIELDS).map((line) => {
    const meaning = MEANINGS[line.split(" ", 1)[0] ?? ""];
    return meaning === undefined ? undefined : `# ${line.padEnd(28)} # ${meaning}`;
  });
  return lines.filter((line) => line !== undefined);
}

function tableOf(name: string, document: Document): readonly string[] {
  const lines = linesOf(document, BUDGET_FIELDS);
  return lines.length === 0 ? [] : ["", `[${name}]`, ...lines];
}

/** A line for each field of a document that is no table of its own. */
function linesOf(document: Document, fields: Readonly<Record<string, Field>>): readonly string[] {
  return Object.entries(fields).flatMap(([name, { wire, form }]) => {
    const value: unknown = Reflect.get(document, wire);
    if (value === undefined || form === "budget" || form === "stop") return [];
    if (name === "units") return unitLines(value);
    return [`${name} = ${write(value, form)}`];
  });
}

function unitLines(value: unknown): readonly string[] {
  // A budget's units: amounts by name, as the contract was parsed.
  const units = Object.entries(value as Readonly<Record<string, number>>);
  return units.map(([unit, amount]) => `units.${unit} = ${amount}`);
}

function stopLines({ name, description, when }: StopCondition): readonly string[] {
  return [
    "",
    "[[contract.stop]]",
    `name = ${JSON.stringify(name)}`,
    ...(description === undefined ? [] : [`description = ${quote(description)}`]),
    ...(when === undefined
      ? ["# A function condition: processes of the library bring it along."]
      : [`when = ${quote(when)}`]),
  ];
}

function flatten(contract: Contract): ReadonlyMap<string, string> {
  const flat = new Map<string, string>();
  const add = (prefix: string, lines: readonly string[]): void => {
    for (const line of lines) {
      const [name = "", value = ""] = line.split(/ = (.*)/s, 2);
      flat.set(`${prefix}${name}`, value);
    }
  };
  add("", linesOf(contract, CONTRACT_FIELDS));
  add("budget.", linesOf(contract.budget, BUDGET_FIELDS));
  add("default_child.", linesOf(contract.default_child, BUDGET_FIELDS));
  for (const { name, when } of contract.stop)
    flat.set(`stop.${name}`, when === undefined ? "a function" : quote(when));
  return flat;
}

function write(value: unknown, form: Form): string {
  if (form === "duration") return `"${writeDuration(Number(value))}"`;
  if (form === "size") return `"${writeSize(Number(value))}"`;
  if (form === "cores") return writeCores(Number(value));
  // Texts, numbers, flags and arrays of texts are written alike in JSON and TOML.
  return typeof value === "string" ? quote(value) : JSON.stringify(value);
}

/** A basic string of TOML: JSON's escapes are among its own, but for the slash and for DEL. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll("\u007f", "\\u007f");
}
