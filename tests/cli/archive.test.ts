import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { expect, onTestFinished, test } from "vitest";
import { archiveFleet } from "../../src/cli/founding/archive.ts";

/** Makes a file and takes it away again, over and over, as fast as it can. */
const FLICKER = `
const { rmSync, writeFileSync } = require("node:fs");
const { parentPort, workerData } = require("node:worker_threads");
parentPort.postMessage("begun");
for (;;) {
  writeFileSync(workerData, "");
  rmSync(workerData, { force: true });
}`;

test("[CL34] a file that vanishes while a fleet is archived stops nothing", async () => {
  const dir = mkdtempSync(join(tmpdir(), "stint-archive-"));
  const thread = new Worker(FLICKER, { eval: true, workerData: join(dir, "supervisor.json") });
  onTestFinished(async () => {
    await thread.terminate();
    rmSync(dir, { recursive: true, force: true });
  });
  await new Promise((resolve) => thread.once("message", resolve));
  for (let round = 0; round < 300; round += 1) {
    writeFileSync(join(dir, "head"), "");
    const folder = archiveFleet(dir, `f-${round}`);
    expect(existsSync(join(folder, "head"))).toBe(true);
  }
});
