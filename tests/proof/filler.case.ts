// Takes one lease after another until the store has no room, and tells which it was told it has.
// Arguments: the state folder, a file to delete once the disk is full, if there is one.
import { rmSync } from "node:fs";
import { openFleet, sqlite } from "stint";

// The kernel ends a process that writes too much unless it listens; then the write fails.
process.on("SIGXFSZ", () => undefined);
const [dir = "", ballast] = process.argv.slice(2);
const fleet = await openFleet({ store: sqlite({ dir }), steward: false });
const told: string[] = [];
const codes: (string | undefined)[] = [];
const failedMs: number[] = [];

/** Asks for ground of its own, under a name so long that few entries fill the disk. */
async function ask(number: number): Promise<void> {
  const holder = `${number} ${"x".repeat(200)}`;
  const lease = await fleet.acquire({ holder, region: `part-${number}/**`, ttlMs: 3_600_000 });
  told.push(lease.id);
}

async function askUntilFault(): Promise<void> {
  for (;;) {
    const askedAtMs = performance.now();
    try {
      await ask(told.length);
    } catch (error) {
      failedMs.push(performance.now() - askedAtMs);
      return void codes.push((error as { readonly code?: string }).code);
    }
  }
}

await askUntilFault();
const live = fleet.leases().map(({ id }) => id);
if (ballast !== undefined) {
  await askUntilFault();
  rmSync(ballast);
  await ask(told.length);
}
process.stdout.write(JSON.stringify({ codes, told, failedMs, live }));
process.exit();
