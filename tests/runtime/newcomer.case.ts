// A process that comes to a fleet which another has left behind. Arguments: the folder of the
// journal, and what it does:
//   leave   makes the fleet, admits two workers, registers one of them, and dies on the spot
//   kill    kills the fleet and exits without closing anything
//   try     tries to register the worker that was left, and to admit another
// Prints a JSON report.
import { writeSync } from "node:fs";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import type { Manifest } from "../../src/kernel/worker/manifest.ts";
import { GENESIS } from "../../src/ports/journal.ts";
import { openLoop } from "../../src/runtime/open-loop.ts";
import { systemClock } from "../../src/system/clock.ts";
import { systemRandom } from "../../src/system/random.ts";
import {
  admit,
  begin,
  create,
  granted,
  KILL,
  OPERATOR,
  refused,
  register,
  RESUME,
  SIGNER,
} from "./rig.ts";

const STDOUT = 1;
const [folder = "", deed] = process.argv.slice(2);
const journal = await openSqliteJournal({ folder, clock: systemClock() });
const loop = await openLoop({ journal, signer: SIGNER, random: systemRandom() });
const report: Record<string, unknown> = {
  status: loop.state().status,
  live: loop.state().live_count,
  total: loop.state().total_count,
};

async function leftManifest(): Promise<Manifest> {
  const entries = await journal.read(GENESIS, 1_000);
  const left = entries.findLast((entry) => entry.kind === "worker.admitted");
  if (left === undefined) throw new Error("somebody must have been left");
  return left.data.manifest;
}

if (deed === "leave") {
  await granted(loop.submit(create({ max_replicas: 3 }), OPERATOR));
  await begin(loop, "a");
  await granted(loop.submit(admit("b"), OPERATOR));
  process.kill(process.pid, "SIGKILL");
}
if (deed === "kill") await granted(loop.submit(KILL, OPERATOR));
if (deed === "try") {
  const manifest = await leftManifest();
  const commands = [register(manifest), admit("c"), RESUME];
  report["codes"] = await Promise.all(
    commands.map(async (command) => (await refused(loop.submit(command, OPERATOR))).code),
  );
}
writeSync(STDOUT, JSON.stringify(report));
process.exit(0);
