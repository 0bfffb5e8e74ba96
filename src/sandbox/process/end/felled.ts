// The sandboxes that one order of the kernel has killed. One by one each costs whoever ends it a
// look at all processes of the host, and several at its group; hundreds that die together are seen
// to be gone by one look:
//
//     all are told to die ──▶ the groups above them are empty ──▶ one look at all processes
//                                                                 ──▶ each is measured, and proven
//
// Seen is the same as of a single one: its first process has exited and was reaped, no living
// process is in its pid namespace, its control group is empty in every hierarchy. Whoever is not
// seen to be gone in time is ended by itself.

import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { isDead, readProcess } from "../../../system/process.ts";
import type { Cgroup, CgroupTree } from "../../cgroup/cgroup.ts";
import type { Children } from "../children.ts";
import type { EnclosureEnd } from "../rung/enclosure.ts";
import { listNamespaces } from "../rung/namespace.ts";

/** How often it is looked whether the groups above are empty, ms. */
const lookEveryMs = 3;

/** When those are looked for the first time that are gone while others are not, ms. */
const someAfterMs = 250;

/** How much longer is waited before the next such look than the last one took. */
const restFactor = 8;

/** Those that are measured before other work of this process gets its turn. */
const perTurn = 250;

/** A sandbox of this process's own that was killed with all others. */
export interface Felled {
  readonly instance: string;
  readonly cgroup: Cgroup;
  /** Its pid namespace, as the link of a process in it reads. */
  readonly namespace: string;
  /** How many processes it had when it was killed. */
  readonly killedCount: number;
}

interface Waiting extends Felled {
  readonly deadlineAtMs: number;
  readonly answer: PromiseWithResolvers<EnclosureEnd | undefined>;
}

/** Sees to it that those are proven to have ended together that were killed together. */
export class FelledOnes {
  readonly #children: Children;
  readonly #waiting = new Map<string, Waiting>();
  #isSeeing = false;

  constructor(children: Children) {
    this.#children = children;
  }

  /** How one of them has ended; undefined when that is not seen by the deadline. */
  end(
    felled: Felled,
    { tree, deadlineAtMs }: { readonly tree: CgroupTree; readonly deadlineAtMs: number },
  ): Promise<EnclosureEnd | undefined> {
    const known = this.#waiting.get(felled.instance);
    if (known !== undefined) return known.answer.promise;
    const answer = Promise.withResolvers<EnclosureEnd | undefined>();
    this.#waiting.set(felled.instance, { ...felled, deadlineAtMs, answer });
    if (!this.#isSeeing) void this.#see(tree);
    return answer.promise;
  }

  /** Looks until nobody waits any more. Never rejects. */
  async #see(tree: CgroupTree): Promise<void> {
    this.#isSeeing = true;
    let someAtMs = performance.now() + someAfterMs;
    while (this.#waiting.size > 0) {
      const beganAtMs = performance.now();
      try {
        if (beganAtMs >= someAtMs || (await tree.isDeserted())) {
          await this.#seeSome();
          const nowMs = performance.now();
          someAtMs = nowMs + Math.max(someAfterMs, restFactor * (nowMs - beganAtMs));
        }
      } catch {
        // What cannot be looked at here each meets again, and tells, when it is ended by itself.
        this.#giveUp(Number.POSITIVE_INFINITY);
      }
      this.#giveUp(performance.now());
      if (this.#waiting.size > 0) await sleep(lookEveryMs);
    }
    this.#isSeeing = false;
  }

  #giveUp(nowMs: number): void {
    for (const one of this.#waiting.values())
      if (one.deadlineAtMs <= nowMs) this.#answer(one, undefined);
  }

  #answer(one: Waiting, end: EnclosureEnd | undefined): void {
    this.#waiting.delete(one.instance);
    one.answer.resolve(end);
  }

  async #seeSome(): Promise<void> {
    const exited = [...this.#waiting.values()].filter(
      ({ instance }) => !this.#children.isRunning(instance),
    );
    if (exited.length === 0) return;
    const namespaces = await listNamespaces();
    for (const [index, one] of exited.entries()) {
      if (index % perTurn === perTurn - 1) await nextTurn();
      const isInhabited = (namespaces.get(one.namespace) ?? []).some(isAlive);
      if (isInhabited || !(await one.cgroup.isEmpty())) continue;
      const { cgroup, killedCount } = one;
      const [used, hits] = [cgroup.total(), await cgroup.hits()];
      this.#answer(one, { killedCount, used, hits, wasStarted: true, cgroup: "empty" });
    }
  }
}

/** A keeper is a zombie until whoever inherited it looks: all of its namespace ended before. */
function isAlive(pid: number): boolean {
  const status = readProcess(pid);
  return status !== undefined && !isDead(status);
}
