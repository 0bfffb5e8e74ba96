import type { CommandMap } from "../../src/kernel/command.ts";
import type { Claim, Holder, Lease } from "../../src/kernel/lease/lease.ts";
import type { Place } from "../../src/kernel/queue/place.ts";
import type { State } from "../../src/kernel/state.ts";
import { falseClaim, trueClaim } from "./claim.ts";
import { anOutsider, OUTSIDERS } from "./lease.ts";
import { anOperator, asWorker, type Request, type View } from "./view.ts";

/** Makes up that somebody who waits looks whether it is his turn, or that another does. */
export function makeKeep(view: View): Request {
  const { data, actor } = onPlace(view);
  return { command: { kind: "place.keep", data }, actor };
}

/** Makes up that somebody waits no longer. */
export function makeLeave(view: View): Request {
  const { data, actor } = onPlace(view);
  return { command: { kind: "place.leave", data }, actor };
}

/** Makes up that an operator ends somebody's waiting. */
export function makeCancel(view: View): Request {
  const { place } = onPlace(view).data;
  const data = { place, reason: "it is needed elsewhere" };
  return { command: { kind: "place.cancel", data }, actor: anOperator(view) };
}

/** Makes up a request under a key of its own, for what another has. */
export function makeCrowding(view: View, index: number): Request {
  const { random } = view;
  const holder = anOutsider(view, "crowd");
  const asked = { region: ["docs/**"], mode: "exclusive", holder, ttl_ms: 300_000 } as const;
  const data = { ...asked, key: `c${index}`, wait_ms: random.pick([20_000, 600_000]) };
  return { command: { kind: "lease.acquire", data }, actor: anOperator(view) };
}

/** Few grounds that are not in each other's way. */
const APART: readonly string[] = ["src/api/**", "src/gen/**", "docs/**"];

/** Makes up a request of one of a few for a ground of his own, or if he waits for another's. */
export function makeEntangling(
  view: View,
  { index, waits }: { readonly index: number; readonly waits: boolean },
): Request {
  const { random } = view;
  const of = (at: number): string => APART[at % APART.length] ?? "docs/**";
  const data: CommandMap["lease.acquire"] = {
    region: [of(waits ? index + 1 + random.below(2) : index)],
    holder: anOutsider(view, OUTSIDERS[index % OUTSIDERS.length] ?? "ci"),
    ttl_ms: 60_000,
    ...(waits ? { wait_ms: random.pick([20_000, 60_000]) } : {}),
  };
  return { command: { kind: "lease.acquire", data }, actor: anOperator(view) };
}

/** What several ask for one after another: of a few grounds that are in each other's way. */
export function drawGround({ random, state }: View): Ground {
  const { lanes } = state.book.rules;
  const slotted = lanes.filter(({ slots }) => slots !== undefined);
  if (slotted.length > 0 && random.chance(0.6)) return { lanes: [random.pick(slotted).name] };
  if (lanes.length > 0 && random.chance(0.3)) return { lanes: [random.pick(lanes).name] };
  return { region: random.pick([["src/api/**"], ["docs/**"], ["src/**", "docs/**"]]) };
}

/** The ground of one request. */
export type Ground = Pick<CommandMap["lease.acquire"], "lanes" | "region">;

/** Makes up a request of one of several for a ground, to be waited for by some. */
export function makeLining(
  view: View,
  { index, ground, waits }: { readonly index: number; readonly ground: Ground; waits: boolean },
): Request {
  const { random } = view;
  const data: CommandMap["lease.acquire"] = {
    ...ground,
    ...(random.chance(0.15) ? { mode: "shared" } : {}),
    holder: anOutsider(view, OUTSIDERS[index % OUTSIDERS.length] ?? "ci"),
    ttl_ms: random.pick([5_000, 60_000, 300_000]),
    ...(waits ? { wait_ms: random.pick([20_000, 60_000]) } : {}),
  };
  return { command: { kind: "lease.acquire", data }, actor: anOperator(view) };
}

/** Makes up that the holder of a lease gives it back. */
export function makePlainRelease(view: View, { id: lease, holder }: Lease): Request {
  const claim = trueClaim(view.random, holder);
  return { command: { kind: "lease.release", data: { lease, claim } }, actor: anOperator(view) };
}

/** Makes up that the holder of a lease gives it to somebody who waits. */
export function makePlainHandOver(view: View, { id: lease, holder }: Lease, to: Holder): Request {
  const claim = trueClaim(view.random, holder);
  const data = { lease, claim, to };
  return { command: { kind: "lease.hand_over", data }, actor: anOperator(view) };
}

/** Makes up that whoever waits in a place looks whether it is his turn. */
export function makePlainKeep(view: View, { id: place, holder }: Place): Request {
  const claim = trueClaim(view.random, holder);
  return { command: { kind: "place.keep", data: { place, claim } }, actor: anOperator(view) };
}

/** Whether the state has a place in the queue. */
export function hasPlaces({ book }: State): boolean {
  return book.queue.places.size > 0;
}

/** Most often the right one about a place that there is; sometimes about one that is gone. */
function onPlace(view: View): { readonly data: CommandMap["place.keep"]; actor: Request["actor"] } {
  const { random, state } = view;
  const places = [...state.book.queue.places.values()];
  if (places.length === 0 || random.chance(0.1)) return onGone(view);
  const place = random.chance(0.5) ? places[0] : random.pick(places);
  const { id, holder } = place as Place;
  const claim = random.chance(0.1) ? falseClaim(view, { holder }) : trueClaim(random, holder);
  return { data: { place: id, claim }, actor: speakerFor(view, claim) };
}

/** A place that has come to a lease, by that lease's holder; or any that may never have been. */
function onGone(view: View): ReturnType<typeof onPlace> {
  const { random, state } = view;
  const served = [...state.book.leases.values()].filter(({ place }) => place !== null);
  const lease = served.length > 0 && random.chance(0.7) ? random.pick(served) : undefined;
  const place = lease?.place ?? `q-${random.below(state.seq + 2) + 1}`;
  const holder: Holder = lease?.holder ?? anOutsider(view, "ci");
  const claim = trueClaim(random, holder);
  return { data: { place, claim }, actor: speakerFor(view, claim) };
}

function speakerFor(view: View, claim: Claim): Request["actor"] {
  const isSelf = "worker" in claim && view.random.chance(0.8);
  return isSelf ? asWorker(claim.worker) : anOperator(view);
}
