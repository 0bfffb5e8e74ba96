// A thread of its own, so that whoever kills does not keep it waiting: tells when nobody is left in
// a control group of version 2 or below it, by the kernel's word.
import { readFileSync, watch } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

const { file } = workerData as { readonly file: string };

const watcher = watch(file, look);
parentPort?.postMessage({ kind: "watching" });
look();

function look(): void {
  if (!isEmpty()) return;
  watcher.close();
  parentPort?.postMessage({ kind: "empty", atNs: process.hrtime.bigint() });
}

function isEmpty(): boolean {
  try {
    return readFileSync(file, "latin1").includes("populated 0");
  } catch {
    // An empty group may be removed before anybody has looked.
    return true;
  }
}
