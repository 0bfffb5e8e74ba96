// Steps of plays about the roster, the roll and access tokens.
import { createHash } from "node:crypto";
import type { CommandMap } from "../../src/kernel/command.ts";
import { LIMITS } from "../../src/kernel/limits.ts";
import type { Expected } from "../../src/kernel/roster/roster.ts";
import type { Sighting } from "../../src/kernel/roster/sighting.ts";
import { ask, SUPERVISOR, type Ask } from "./scenario.ts";

/** How many tokens may live. */
export const TOKENS_MAX: number = LIMITS.tokensMax;

const LETTERS = "abcdefghijklmnopqrstuvwxyz234567";

/** The id of a token that plays call by a name. */
export function tokenOf(name: string): string {
  const bytes = createHash("sha256").update(name).digest().subarray(0, 16);
  return `t-${[...bytes].map((byte) => LETTERS[byte % 32] ?? "").join("")}`;
}

/** The hash of the secret of a token that plays call by a name. */
export function hashOf(name: string): string {
  return createHash("sha256").update(`secret of ${name}`).digest("hex");
}

/** Puts a roster in force: names, each to beat every 10 s, or whole services. */
export function enactRoster(...services: readonly (string | Partial<Expected>)[]): Ask {
  const expected = services.map((one): Expected => ({
    name: "api",
    every_ms: 10_000,
    instances: 1,
    ...(typeof one === "string" ? { name: one } : one),
  }));
  return ask("roster.enact", { expected });
}

/** What a supervisor heard of `NAME/INSTANCE`: by default that it beats now. */
export function sighting(of: string, seen: Partial<Sighting> = {}): Sighting {
  const [name = "", instance = ""] = of.split("/");
  return { name, instance, every_ms: 10_000, silent_ms: 0, said: "up", ...seen };
}

/** Has a supervisor say what it heard of one instance. */
export function heard(of: string, seen: Partial<Sighting> = {}): Ask {
  return ask("roll.observe", { sightings: [sighting(of, seen)] }, { by: SUPERVISOR });
}

/** Has a supervisor forget instances. */
export function forget(...of: readonly string[]): Ask {
  const instances = of.map((one) => {
    const { name, instance } = sighting(one);
    return { name, instance };
  });
  return ask("roll.forget", { instances }, { by: SUPERVISOR });
}

/** Asks something of a name. */
export function control(name: string, so: Partial<CommandMap["control.request"]> = {}): Ask {
  return ask("control.request", { name, action: "reload", ttl_ms: 60_000, ...so });
}

/** Puts on record that a service was started. */
export function noteService(name: string): Ask {
  return ask("service.note", { name, action: "start", outcome: "started", took_ms: 12 });
}

/** Issues a token, by default a viewer's for a minute. */
export function issue(
  name: string,
  so: Partial<CommandMap["token.issue"]> = {},
  ended?: string,
): Ask {
  const data = {
    token: tokenOf(name),
    role: "viewer",
    hash: hashOf(name),
    lifetime_ms: 60_000,
    ...so,
  } as const;
  return ask("token.issue", data, ended === undefined ? {} : { ended });
}

/** Exchanges a login code for a token; `ended`: what the store's index knows. */
export function exchange(code: string, into: string, ended?: string): Ask {
  const next = { token: tokenOf(into), hash: hashOf(into), lifetime_ms: 3_600_000 };
  const data = { token: tokenOf(code), into: next };
  return ask("token.exchange", data, ended === undefined ? {} : { ended });
}

/** Revokes a token. */
export function revokeToken(name: string, ended?: string): Ask {
  return ask("token.revoke", { token: tokenOf(name) }, ended === undefined ? {} : { ended });
}
