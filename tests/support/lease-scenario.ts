// Steps of plays about leases: who asks for what, and who may act on what is there.
import type { Actor } from "../../src/kernel/actor.ts";
import type { CommandMap } from "../../src/kernel/command.ts";
import { DEFAULT_GROUND_RULES, type GroundRules, type Lane } from "../../src/kernel/lane/lane.ts";
import type { Claim, Holder, Lease } from "../../src/kernel/lease/lease.ts";
import { nameOf } from "../../src/kernel/lease/lease.ts";
import type { Place } from "../../src/kernel/queue/place.ts";
import { ask, idOf, OPERATOR, self, type Ask, type Play } from "./scenario.ts";

/** How long leases of plays are granted for, ms. */
export const TTL_MS = 60_000;

/** An outside party by name, with a credential that follows from it. */
export function outside(name: string): Holder {
  return { name, nonce: "n".repeat(26), token_hash: hashOf(name) };
}

/** What an outside party shows: its own token. */
export function token(name: string): Claim {
  return { name, token_hash: hashOf(name) };
}

function hashOf(name: string): string {
  return Buffer.from(name).toString("hex").padEnd(64, "0").slice(0, 64);
}

/** The holder that a short name stands for: a worker where it is led by `@`. */
export function holder(name: string): Holder {
  return name.startsWith("@") ? { worker: idOf(name.slice(1)) } : outside(name);
}

/** The claim that a short name makes. */
export function claim(name: string): Claim {
  return name.startsWith("@") ? { worker: idOf(name.slice(1)) } : token(name);
}

/** Who gives the commands of a short name: the worker itself, or the operator. */
function giverOf(name: string): Actor {
  return name.startsWith("@") ? self(name.slice(1)) : OPERATOR;
}

type Acquisition = Partial<CommandMap["lease.acquire"]> & { readonly ended?: string };

/** Asks for a lease: for patterns, or with `lanes` for lanes. */
export function acquire(name: string, asked: string | Acquisition, more: Acquisition = {}): Ask {
  const given =
    typeof asked === "string" ? { region: asked.split(" "), ...more } : { ...asked, ...more };
  const { ended, ...others } = given;
  const data = { holder: holder(name), ttl_ms: TTL_MS, ...others };
  return ask("lease.acquire", data, { by: giverOf(name), ...(ended && { ended }) });
}

/** Enacts lanes; what is not said of ground is as by default. */
export function enactLanes(lanes: readonly Lane[], others: Partial<GroundRules> = {}): Ask {
  return ask("lanes.enact", { ...DEFAULT_GROUND_RULES, ...others, lanes });
}

/** Asks for a lease as {@link acquire}, and waits for it, a minute unless it is said how long. */
export function wait(name: string, asked: string | Acquisition, more: Acquisition = {}): Ask {
  return acquire(name, asked, { wait_ms: 60_000, ...more });
}

/** The newest place in the queue of a short name. */
export function placeOf(play: Play, name: string): Place {
  const found = [...play.state.book.queue.places.values()].findLast(
    (place) => nameOf(place.holder) === nameOf(holder(name)),
  );
  if (found === undefined) throw new Error(`${name} must wait in this play`);
  return found;
}

/** Acts on the newest place of a short name, as its holder unless `as` says who. */
function actOnPlace(
  kind: "place.keep" | "place.leave",
  name: string,
  so: { readonly as?: string; readonly place?: string },
): Ask {
  return (play) => {
    const who = so.as ?? name;
    const place = so.place ?? placeOf(play, name).id;
    return ask(kind, { place, claim: claim(who) }, { by: giverOf(who) })(play);
  };
}

/** Takes up what the newest place of a short name waits for, or keeps the place up. */
export function keep(name: string, so: Parameters<typeof actOnPlace>[2] = {}): Ask {
  return actOnPlace("place.keep", name, so);
}

/** Leaves the newest place of a short name. */
export function leave(name: string, so: Parameters<typeof actOnPlace>[2] = {}): Ask {
  return actOnPlace("place.leave", name, so);
}

/** The newest lease of a short name. */
export function leaseOf(play: Play, name: string): Lease {
  const found = [...play.state.book.leases.values()]
    .filter((lease) => nameOf(lease.holder) === nameOf(holder(name)))
    .toSorted((one, other) => other.fence - one.fence)[0];
  if (found === undefined) throw new Error(`${name} must hold a lease in this play`);
  return found;
}

type OnLease = "lease.renew" | "lease.release" | "lease.narrow" | "lease.split" | "lease.hand_over";

/**
 * Acts on the newest lease of a short name, as its holder unless `as` says who; `lease` and
 * `ended` name another lease.
 */
export function act<K extends OnLease>(
  [kind, name]: readonly [K, string],
  data: Omit<CommandMap[K], "lease" | "claim">,
  so: {
    readonly as?: string;
    readonly claim?: Claim;
    readonly lease?: string;
    readonly ended?: string;
  } = {},
): Ask {
  return (play) => {
    const lease = so.lease ?? leaseOf(play, name).id;
    const who = so.as ?? name;
    const whole = { ...data, lease, claim: so.claim ?? claim(who) };
    const step = ask(kind, whole as unknown as CommandMap[K], {
      by: giverOf(who),
      ...(so.ended === undefined ? {} : { ended: so.ended }),
    });
    return step(play);
  };
}

/** Renews the newest lease of a short name. */
export function renew(
  name: string,
  data: Omit<CommandMap["lease.renew"], "lease" | "claim"> = {},
  so: Parameters<typeof act>[2] = {},
): Ask {
  return act(["lease.renew", name], data, so);
}

/** Releases the newest lease of a short name. */
export function release(name: string, so: Parameters<typeof act>[2] = {}): Ask {
  return act(["lease.release", name], {}, so);
}

/** Revokes the newest lease of a short name. */
export function revoke(name: string): Ask {
  return (play) => ask("lease.revoke", { lease: leaseOf(play, name).id, reason: "play" })(play);
}
