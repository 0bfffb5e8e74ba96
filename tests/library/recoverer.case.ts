// Recovers the fleet in a folder and kills itself at one step of it; prints what it has done if it
// comes to the end. Arguments: the folder, and the step.
//
// The steps are found from outside: by what is hashed (a text is hashed just before it is stored)
// and by the write of the head file, which comes right after the commit.
import crypto from "node:crypto";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const [dir = "", step = ""] = process.argv.slice(2);

function die(): void {
  process.kill(process.pid, "SIGKILL");
}

const { hash } = crypto;
crypto.hash = ((algorithm: string, data: string, ...rest: []) => {
  const isKind = (kind: string): boolean => data.includes(`"kind":"${kind}"`);
  if (step === "looked" && isKind("fleet.created")) die();
  if (step === "deciding" && isKind("fleet.recovered")) die();
  if (step === "killing" && isKind("fleet.killed")) die();
  return hash(algorithm, data, ...rest);
}) as typeof hash;

const { writeSync } = fs;
fs.writeSync = ((...args: Parameters<typeof writeSync>) => {
  if (step === "committed") die();
  const written = writeSync(...args);
  if (step === "remembered") die();
  return written;
}) as typeof writeSync;
syncBuiltinESMExports();

const { recoverFleet } = await import("../../src/compose/recovery.ts");
const recovery = await recoverFleet(dir, { operator: "anna", reason: "a backup was restored" });
if (step === "done") die();
process.stdout.write(`${JSON.stringify(recovery)}\n`);
