/*
 * A new process after the kill: it opens the fleet, asks for a worker, and prints the code of what
 * it is answered, for whoever started it to read.
 */
import { openFleet, sqlite } from "../index.ts";

const [, , , dir = ""] = process.argv;
const fleet = await openFleet({ store: sqlite({ dir }), steward: false });
try {
  const started = await fleet.tryStart({ name: "latecomer" });
  process.stdout.write(`${started.ok ? "admitted" : started.refusal.code}\n`);
} finally {
  await fleet.close();
}
