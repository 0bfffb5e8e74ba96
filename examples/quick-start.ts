// A fleet in the memory of one process: a root, a child, a kill.
// Run it with `node examples/quick-start.ts` where stint is installed.

import { openFleet, memory } from "stint";

const secret = "an example's secret, not one to keep";

const fleet = await openFleet({
  store: memory(),
  secret,
  contract: {
    maxDepth: 3,
    maxReplicas: 10,
    cooldownMs: 1000,
    lifetimeMs: 60_000,
    // Or as CEL, which every process can evaluate: when: "active_count >= 5".
    stopConditions: [{ name: "active_limit", when: (c) => c.activeCount >= 5 }],
  },
});

const root = await fleet.start({
  name: "root",
  budget: { cpuMilli: 500, memoryBytes: 256 * 2 ** 20 },
  state: { task: "analyse" },
});

await root.performTask(async ({ worker, signal }) => {
  signal.throwIfAborted();
  await worker.checkpoint({ task: "analyse", found: 42 });
});

const child = await root.maybeReplicate({ reason: "subtask", state: { part: "a" } });
if (child.ok) {
  await child.worker.performTask(async ({ worker }) => {
    console.log(`${worker.name} works on ${JSON.stringify(worker.manifest.state)}`);
  });
  await child.worker.shutdown("completed");
}

// A second child at once: the rules say no, and that harms nobody.
const second = await root.maybeReplicate({ reason: "subtask", state: { part: "b" } });
if (!second.ok) console.log(`refused: ${second.refusal.code}`);

for await (const entry of fleet.entries()) console.log(`${entry.seq} ${entry.kind}`);
console.log(fleet.workers().map((worker) => `${worker.name} ${worker.status}`));
console.log(`${fleet.metrics().liveCount} of ${fleet.metrics().maxReplicas}`);

const receipt = await fleet.kill({ reason: "drill" });
console.log(`stopped ${receipt.stoppedCount}, ${receipt.proven ? "proven" : "not proven"}`);
await fleet.close();
