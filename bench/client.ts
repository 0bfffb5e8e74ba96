// A client of a bench. It opens the fleet of a state folder, gives it as many commands as it is
// told to, each after the answer to the one before, and closes it: who is idle follows nothing.
import { openFleet, sqlite } from "../src/compose/library.ts";
import type { Fleet } from "../src/library/fleet/fleet.ts";

const [, , dir = ""] = process.argv;

/** What a client is told to do; it answers when it is done. */
type Order = { readonly do: "open" } | { readonly do: "close" } | { readonly do: number };

let fleet: Fleet | undefined;

process.on("message", (order: Order) => void obey(order).then(() => process.send?.("done")));
process.send?.("ready");

async function obey({ do: what }: Order): Promise<void> {
  if (what === "open") await open();
  else if (what === "close") await fleet?.close();
  else await give(what);
}

async function open(): Promise<void> {
  fleet = await openFleet({ store: sqlite({ dir }), steward: false });
  if ((await fleet.supervisor()) === null) throw new Error("a supervisor must run");
}

async function give(count: number): Promise<void> {
  for (let given = 0; given < count; given += 1)
    await fleet?.requestHalt({ handle: "somebody", reason: "the bench" });
}
