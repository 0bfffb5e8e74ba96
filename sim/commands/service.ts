import type { Actor } from "../../src/kernel/actor.ts";
import type { Expected } from "../../src/kernel/roster/roster.ts";
import type { Sighting } from "../../src/kernel/roster/sighting.ts";
import { TOKEN_ROLES } from "../../src/kernel/access/token.ts";
import type { State } from "../../src/kernel/state.ts";
import { anOperator, pickWorker, SUPERVISOR, type Request, type View } from "./view.ts";

/** Names of services; workers have the first too. */
const NAMES = ["w", "api", "collector", "web"] as const;

/** How many instances of a name there are at most. */
const INSTANCES = 3;

const LETTERS = "abcdefghijklmnopqrstuvwxyz234567";

/** Makes up a roster; now and then one that is none. */
export function makeRoster(view: View): Request {
  const { random } = view;
  const expected = NAMES.filter(() => random.chance(0.5)).map((name): Expected => ({
    name: name === "web" && random.chance(0.2) ? "stint" : name,
    every_ms: random.pick([1_000, 10_000]),
    instances: 1 + random.below(2),
    ...(random.chance(0.3) ? { unit: `${name}.service` } : {}),
    ...(random.chance(0.3) ? { start: ["./bin/start", name] as const } : {}),
  }));
  return { command: { kind: "roster.enact", data: { expected } }, actor: anOperator(view) };
}

/** Makes up what a supervisor heard of a few instances. */
export function makeSightings(view: View): Request {
  const { random } = view;
  const sightings = Array.from({ length: 1 + random.below(4) }, (): Sighting => {
    const every_ms = random.pick([1_000, 10_000]);
    const bound = 3 * random.pick([every_ms, 1_000, 10_000]);
    return {
      ...anInstance(view),
      every_ms,
      silent_ms: random.pick([0, bound - 1, bound, bound + 1]),
      said: random.pick(["up", "up", "up", "stopping", "stopped"]),
      ...(random.chance(0.5) ? { beat_count: 1 + random.below(100) } : {}),
    };
  });
  return { command: { kind: "roll.observe", data: { sightings } }, actor: SUPERVISOR };
}

/** Makes up that a supervisor forgets rows, of those that live too. */
export function makeForgetting(view: View): Request {
  const instances = Array.from({ length: 1 + view.random.below(3) }, () => anInstance(view));
  return { command: { kind: "roll.forget", data: { instances } }, actor: SUPERVISOR };
}

/** Whether the roll has anybody. */
export function hasRows({ roll }: State): boolean {
  return roll.size > 0;
}

/** Makes up that something is asked of a name, or of one of its instances. */
export function makeControl(view: View): Request {
  const { random, state } = view;
  const { name, instance } = anInstance(view);
  const isWorker = random.chance(0.3);
  const worker = state.workers.get(pickWorker(view));
  const whose = isWorker && worker !== undefined ? worker.name : name;
  const one = isWorker ? (worker?.id ?? instance) : instance;
  const only = random.chance(0.4) ? { instance: one } : {};
  const data = { name: whose, ...only, action: "reload", ttl_ms: 1_000, data: { deep: [1] } };
  return { command: { kind: "control.request", data }, actor: anOperator(view) };
}

/** Makes up what came of starting or stopping a service. */
export function makeServiceNote(view: View): Request {
  const { random } = view;
  const name = random.pick(NAMES);
  const done = random.pick([
    { action: "start", outcome: "started" },
    { action: "stop", outcome: "not_running" },
    { action: "start", outcome: "failed", detail: "exit 1" },
  ] as const);
  const data = { name, ...done, took_ms: random.below(10_000) };
  return { command: { kind: "service.note", data }, actor: anOperator(view) };
}

/** Makes up a token, or a login code. */
export function makeToken(view: View): Request {
  const { random } = view;
  const role = random.pick(TOKEN_ROLES);
  const isCode = (role === "viewer" || role === "operator") && random.chance(0.6);
  const data = {
    token: random.chance(0.1) ? aToken(view) : newToken(view),
    role,
    hash: newHash(view),
    lifetime_ms: isCode ? random.pick([1_000, 60_000]) : random.pick([1_000, 3_600_000]),
    ...(isCode ? { once: true as const } : {}),
    ...(role === "service" ? { service: random.pick(NAMES) } : {}),
    ...(role === "worker" ? { worker: pickWorker(view) } : {}),
    ...(random.chance(0.3) ? { label: "laptop" } : {}),
  };
  return { command: { kind: "token.issue", data }, actor: anOperator(view) };
}

/** Makes up an exchange: of a code, of what is none, into what is new or taken. */
export function makeExchange(view: View): Request {
  const { random } = view;
  const codes = [...view.state.access.values()].filter(({ once }) => once === true);
  const code = codes.length > 0 && random.chance(0.8) ? random.pick(codes).token : aToken(view);
  const next = random.chance(0.1) ? aToken(view) : newToken(view);
  const into = { token: next, hash: newHash(view), lifetime_ms: 3_600_000 };
  const system: Actor = { kind: "system", via: "http" };
  const actor = random.pick([system, anOperator(view)]);
  return { command: { kind: "token.exchange", data: { token: code, into } }, actor };
}

/** Makes up a revocation. */
export function makeTokenRevocation(view: View): Request {
  const data = { token: aToken(view) };
  return { command: { kind: "token.revoke", data }, actor: anOperator(view) };
}

/** Whether there is any token. */
export function hasTokens({ access }: State): boolean {
  return access.size > 0;
}

function anInstance({ random }: View): { readonly name: string; readonly instance: string } {
  const name = random.pick(NAMES);
  return { name, instance: `${name}-${random.below(INSTANCES)}` };
}

/** One that is there, most often; else one that is none any more, or never was. */
function aToken(view: View): string {
  const known = [...view.state.access.keys()];
  return known.length > 0 && view.random.chance(0.8) ? view.random.pick(known) : newToken(view);
}

/** Of few letters, so that ids come twice now and then. */
function newToken({ random }: View): string {
  const [a, b] = [LETTERS[random.below(32)] ?? "", LETTERS[random.below(32)] ?? ""];
  return `t-${a.repeat(8)}${b.repeat(8)}`;
}

function newHash({ random }: View): string {
  const digits = Array.from({ length: 4 }, () => random.below(2 ** 16).toString(16));
  return digits
    .map((part) => part.padStart(4, "0"))
    .join("")
    .repeat(4);
}
