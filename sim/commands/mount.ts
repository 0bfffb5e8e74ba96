import type { Lease } from "../../src/kernel/lease/lease.ts";
import type { State } from "../../src/kernel/state.ts";
import { leasesOf } from "./claim.ts";
import { pickWorker, SUPERVISOR, type Request, type View } from "./view.ts";

/** Makes up that a supervisor is about to mount a lease, mostly for the worker that holds it. */
export function makeMount(view: View): Request {
  const { random, state } = view;
  const apt = leasesOf(state).filter((lease) => isMountable(state, lease));
  const all = apt.length > 0 && random.chance(0.85) ? apt : leasesOf(state);
  const lease = all.length === 0 ? undefined : random.pick(all);
  const holder = lease !== undefined && "worker" in lease.holder ? lease.holder.worker : undefined;
  const worker = holder !== undefined && random.chance(0.9) ? holder : pickWorker(view);
  const data = { lease: lease?.id ?? "l-1", worker };
  return { command: { kind: "lease.mount", data }, actor: SUPERVISOR };
}

/** Makes up that nothing can write any more to what was mounted, or to what never was. */
export function makeFence(view: View): Request {
  const { random, state } = view;
  const mounts = [...state.book.mounts.values()];
  const mount = mounts.length === 0 ? undefined : random.pick(mounts);
  const worker = mount !== undefined && random.chance(0.9) ? mount.worker : pickWorker(view);
  const seen = { waited_ms: random.below(5_000), was_frozen: random.chance(0.5) };
  const data = { lease: mount?.lease ?? "l-1", worker, ...seen };
  return { command: { kind: "lease.fence", data }, actor: SUPERVISOR };
}

/** Whether the state has a lease that a sandbox could mount. */
export function hasMountable(state: State): boolean {
  return leasesOf(state).some((lease) => isMountable(state, lease));
}

/** Whether the state has something mounted. */
export function hasMounts({ book }: State): boolean {
  return book.mounts.size > 0;
}

function isMountable({ book }: State, { id, holder, mode }: Lease): boolean {
  return "worker" in holder && mode !== "shared" && !book.mounts.has(id);
}
