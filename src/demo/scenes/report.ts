import { accessSync, constants, statSync } from "node:fs";
import type { AnalystResult } from "../task.ts";
import { PATIENCE_MS, type Scene, type Stage } from "../stage/stage.ts";
import type { Findings } from "../tree/analysis.ts";
import { fileOf } from "../tree/listing.ts";

/** The report is handed in, and is about every file that is listed here, to the byte. */
export const report: Scene<Findings> = { checks: ["files", "bytes", "generations"], play };

async function play(stage: Stage): Promise<Findings> {
  const { checklist, census, chronicle, listing } = stage;
  const findings = await awaitFindings(stage);
  const paths = listing.paths.map((path) => fileOf(stage.root, path));
  const open = paths.filter(isOpen);
  const { files, lines, unreadable } = findings;
  checklist.judge("files", {
    files,
    lines,
    unreadable,
    listed: paths.length,
    closedFiles: paths.length - open.length,
    closedFolders: listing.closedFolders,
  });
  const byStat = open.reduce((sum, path) => sum + statSync(path).size, 0);
  checklist.judge("bytes", { reported: findings.bytes, byStat });
  const running = new Set(census.look().map(({ worker }) => worker));
  const counts = [1, 2].map((depth) => {
    const ids = chronicle.entries.flatMap((entry) =>
      entry.kind === "worker.admitted" && entry.data.manifest.depth === depth
        ? entry.data.manifest.instance
        : [],
    );
    return ids.filter((id) => running.has(id)).length;
  });
  checklist.judge("generations", { counts });
  return findings;
}

/** Waits for what the root has recorded; it is an analyst, and so that is its result. */
async function awaitFindings({ chronicle, patience, fleet }: Stage): Promise<Findings> {
  const awaited = { what: "the root has handed its report in", withinMs: PATIENCE_MS };
  return patience.poll(awaited, async () => {
    const id = chronicle.idOf("root");
    const view = id === undefined ? undefined : await fleet.worker(id);
    const result = view?.state["result"] as unknown as AnalystResult | undefined;
    return result?.findings;
  });
}

/** Whether this very process may read a file; one that is gone is not closed to it. */
function isOpen(path: Buffer): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}
