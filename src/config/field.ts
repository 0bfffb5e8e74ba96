import { parseCores, parseDuration, parseSize } from "./amount.ts";

/** How a field is written in TOML. */
export type Form =
  | "plain"
  | "duration"
  | "size"
  | "cores"
  | "budget"
  | "liveness"
  | "conditions"
  | "kill_conditions";

/** A field of the contract or of a budget: its name in the journal, and how it is written. */
export interface Field {
  readonly wire: string;
  readonly form: Form;
}

/** The fields of `[contract]` by their name in TOML, in the order they are written. */
export const CONTRACT_FIELDS: Readonly<Record<string, Field>> = {
  max_depth: plain("max_depth"),
  max_replicas: plain("max_replicas"),
  max_total: plain("max_total"),
  cooldown: time("cooldown_ms"),
  lifetime: time("lifetime_ms"),
  register_within: time("register_within_ms"),
  beat_every: time("beat_every_ms"),
  reap_after: time("reap_after_ms"),
  silent_alive: plain("silent_alive"),
  on_orphan: plain("on_orphan"),
  tether: time("tether_ms"),
  quarantine_max: time("quarantine_max_ms"),
  revoke_grace: time("revoke_grace_ms"),
  revoke_margin: time("revoke_margin_ms"),
  clock_tolerance: time("clock_tolerance_ms"),
  refusals_per_minute: plain("refusals_per_minute"),
  armed_every: time("armed_every_ms"),
  armed_action: plain("armed_action"),
  allow_degraded: plain("allow_degraded"),
  budget: { wire: "budget", form: "budget" },
  default_child: { wire: "default_child", form: "budget" },
  liveness: { wire: "liveness", form: "liveness" },
  stop: { wire: "stop", form: "conditions" },
  lease_deny_when: { wire: "lease_deny_when", form: "conditions" },
  kill_when: { wire: "kill_when", form: "kill_conditions" },
};

/** The fields of a table of `[[contract.kill_when]]`. */
export const KILL_CONDITION_FIELDS: Readonly<Record<string, Field>> = {
  name: plain("name"),
  description: plain("description"),
  when: plain("when"),
  for: time("for_ms"),
  action: plain("action"),
};

/** The fields of `[sandbox]`. */
export const SANDBOX_FIELDS: Readonly<Record<string, Field>> = {
  writable: plain("writable"),
  scratch: { wire: "scratch_bytes", form: "size" },
  leases: plain("leases"),
  widen: plain("widen"),
  open_files: plain("open_files"),
  output: { wire: "output_bytes", form: "size" },
};

/** The fields of `[contract.liveness]`. */
export const LIVENESS_FIELDS: Readonly<Record<string, Field>> = {
  progress_within: time("progress_within_ms"),
  grace: time("grace_ms"),
  stalled_after: time("stalled_after_ms"),
  halt_spinning_after: time("halt_spinning_after_ms"),
};

/** The fields of `[retention]`. */
export const RETENTION_FIELDS: Readonly<Record<string, Field>> = {
  keep: time("keep_ms"),
  keep_entries: plain("keep_entries"),
};

/** The fields of `[contract.budget]` and `[contract.default_child]`. */
export const BUDGET_FIELDS: Readonly<Record<string, Field>> = {
  cpu: { wire: "cpu_milli", form: "cores" },
  memory: { wire: "memory_bytes", form: "size" },
  processes: plain("processes"),
  wall: time("wall_ms"),
  lifetime: time("lifetime_ms"),
  cpu_time: time("cpu_ms"),
  spawns: plain("spawns"),
  units: plain("units"),
};

/** Every field, with its name in TOML. */
const ALL = [
  CONTRACT_FIELDS,
  BUDGET_FIELDS,
  KILL_CONDITION_FIELDS,
  SANDBOX_FIELDS,
  LIVENESS_FIELDS,
  RETENTION_FIELDS,
].flatMap(Object.entries<Field>);

/** The field of a name in TOML, wherever it stands; undefined where there is none. */
export function fieldNamed(name: string): Field | undefined {
  return ALL.find(([known]) => known === name)?.[1];
}

/** The name in TOML of a field of the journal; the same where it has no other. */
export function tomlNameOf(wire: string): string {
  return ALL.find(([, field]) => field.wire === wire)?.[0] ?? wire;
}

/** Reads a value of some form as the journal has it. Throws an InputError that names `path`. */
export function readForm(value: unknown, form: Form, path: string): unknown {
  // What is no text is left to the parser of amounts to object to, in its own words.
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (form === "duration") return parseDuration(text, path);
  if (form === "size") return parseSize(text, path);
  if (form === "cores") return parseCores(typeof value === "number" ? String(value) : text, path);
  return value;
}

function plain(wire: string): Field {
  return { wire, form: "plain" };
}

function time(wire: string): Field {
  return { wire, form: "duration" };
}
