import { Refused } from "../../library/refused.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import type { Fleet } from "../../library/fleet/fleet.ts";

/** Who is meant by a stop, as it was typed. */
export interface Meant {
  readonly ids: readonly string[];
  readonly isAll: boolean;
  readonly name: string | undefined;
}

/**
 * The workers that are meant: by id, by name (all that bear it), or all. Throws an InputError when
 * none or several of the three ways were used, and `Refused` `worker_unknown` when no live worker
 * has the name.
 */
export function findTargets(
  fleet: Pick<Fleet, "workers">,
  { ids, isAll, name }: Meant,
): readonly string[] {
  const ways = [ids.length > 0, isAll, name !== undefined].filter(Boolean).length;
  if (ways !== 1) {
    const expected = "named by ID…, by --name, or by --all, one of them";
    throw new InputError("usage", [{ path: "the workers", expected, got: shown(ways) }]);
  }
  if (ids.length > 0) return ids;
  const live = fleet.workers();
  if (isAll) return live.map(({ id }) => id);
  const named = live.filter((worker) => worker.name === name).map(({ id }) => id);
  if (named.length > 0) return named;
  const message =
    "--name must be the name of a live worker (`stint workers` lists them), " +
    `got ${describeValue(name)}; one that has ended is told of by \`stint worker show NAME\``;
  throw new Refused({ code: "worker_unknown", message, facts: { name: name ?? null } });
}

function shown(ways: number): string {
  return ways === 0 ? "nothing" : `${ways} of them`;
}
