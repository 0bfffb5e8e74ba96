// A client of a bench about lanes. It opens the fleet of a state folder, and for as long as it is
// told to takes a lane and gives it back, each after the answer to the one before; then it tells
// how often it did so. With a name of its own it waits for a lane that others take, too.
import { setTimeout as sleep } from "node:timers/promises";
import { openFleet, sqlite } from "../../src/compose/library.ts";
import type { Fleet } from "../../src/library/fleet/fleet.ts";

const [, , dir = "", lane = "", name] = process.argv;

/** Whoever waits does so for longer than any bench takes. */
const WAIT_MS = 600_000;

/** What a client is told to do; `forMs` is answered with a count, the others with 0. */
export type Order =
  | { readonly do: "open" }
  | { readonly do: "close" }
  | { readonly do: "work"; readonly forMs: number };

let fleet: Fleet | undefined;

process.on("message", (order: Order) => void obey(order).then((count) => process.send?.(count)));
process.send?.(0);

async function obey(order: Order): Promise<number> {
  if (order.do === "work") return work(order.forMs);
  if (order.do === "close") await fleet?.close();
  else await open();
  return 0;
}

async function open(): Promise<void> {
  fleet = await openFleet({ store: sqlite({ dir }), steward: false });
  if ((await fleet.supervisor()) === null) throw new Error("a supervisor must run");
}

async function work(forMs: number): Promise<number> {
  const over = new AbortController();
  void sleep(forMs).then(() => over.abort());
  let count = 0;
  for (; !over.signal.aborted; count += 1) {
    const lease = await fleet?.acquire(
      name === undefined
        ? { lane, holder: `client of ${lane}` }
        : { lane, holder: name, waitMs: WAIT_MS },
    );
    await lease?.release();
  }
  return count;
}
