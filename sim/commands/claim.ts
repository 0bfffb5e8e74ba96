import type { Claim, Holder, Lease } from "../../src/kernel/lease/lease.ts";
import type { State } from "../../src/kernel/state.ts";
import type { SeededRandom } from "../../src/testing/seeded-random.ts";
import { anOperator, asWorker, near, pickWorker, type Request, type View } from "./view.ts";

/** Every lease of a state. */
export function leasesOf({ book }: State): readonly Lease[] {
  return [...book.leases.values()];
}

/** What is said of a lease, and by whom: mostly what is right, sometimes what a thief would say. */
export function onLease(
  view: View,
  given?: Lease,
): {
  readonly data: { readonly lease: string; readonly claim: Claim; readonly fence?: number };
  readonly actor: Request["actor"];
} {
  const { random, state } = view;
  const leases = leasesOf(state);
  const lease = given ?? (leases.length === 0 ? undefined : random.pick(leases));
  if (lease === undefined || random.chance(0.04)) {
    const id = `l-${random.below(state.seq + 2)}`;
    return { data: { lease: id, claim: { name: "ci" } }, actor: anOperator(view) };
  }
  const { holder, fence } = lease;
  const claim = random.chance(0.12) ? falseClaim(view, lease) : trueClaim(random, holder);
  const known = random.chance(0.12) ? near(view, fence) : fence;
  const data = { lease: lease.id, claim, ...(random.chance(0.4) ? { fence: known } : {}) };
  const isSelf = "worker" in claim && random.chance(0.8);
  return { data, actor: isSelf ? asWorker(claim.worker) : anOperator(view) };
}

/** What the holder itself says. */
export function trueClaim(random: SeededRandom, holder: Holder): Claim {
  if ("worker" in holder) return holder;
  const { name, token_hash } = holder;
  return random.chance(0.5) ? { name, token_hash } : { token_hash };
}

/** What somebody says who is not the holder, or has not its token. */
export function falseClaim(view: View, { holder }: Pick<Lease, "holder">): Claim {
  const { random } = view;
  const [name, token_hash] =
    "worker" in holder ? [holder.worker, "f".repeat(64)] : [holder.name, holder.token_hash];
  return random.pick<Claim>([
    {},
    { name },
    { name: `${name} `, token_hash },
    { name, token_hash: "0".repeat(64) },
    { worker: pickWorker(view) },
    { worker: name },
  ]);
}
