import { statSync } from "node:fs";
import type { AnalystResult } from "../task.ts";
import { PATIENCE_MS, type Scene, type Stage } from "../stage/stage.ts";
import type { Findings } from "../tree/analysis.ts";
import { fileOf } from "../tree/listing.ts";

/** The report is handed in, and is about every file that is listed here, to the byte. */
export const report: Scene = { checks: ["files", "bytes", "generations"], play };

async function play(stage: Stage): Promise<void> {
  const { checklist, census, chronicle } = stage;
  const { files, lines, bytes, unreadable } = await awaitFindings(stage);
  const listed = stage.listing.paths.length;
  checklist.note("files", files + unreadable === listed && unreadable === 0, [
    `${files} files, ${lines} lines`,
    `${listed} listed here`,
    unreadable === 0 ? "" : `${unreadable} that the workers were not let read`,
  ]);
  const sum = sizeOf(stage);
  checklist.note("bytes", bytes === sum, [`${bytes}`, `${sum} by stat`]);
  const running = new Set(census.look().map(({ worker }) => worker));
  const counts = [1, 2].map((depth) => {
    const ids = chronicle.entries.flatMap((entry) =>
      entry.kind === "worker.admitted" && entry.data.manifest.depth === depth
        ? entry.data.manifest.instance
        : [],
    );
    return ids.filter((id) => running.has(id)).length;
  });
  checklist.note(
    "generations",
    counts.every((count) => count > 0),
    [`${counts.join(" and ")} workers with processes in the host's table`],
  );
}

/** Waits for what the root has recorded; it is an analyst, and so that is its result. */
export async function awaitFindings({ patience, fleet }: Stage): Promise<Findings> {
  const awaited = { what: "the root has handed its report in", withinMs: PATIENCE_MS };
  return patience.poll(awaited, async () => {
    const view = await fleet.worker("root");
    const why = view?.state["error"] ?? view?.end?.reason;
    if (typeof why === "string") throw new Error(`the root ended early: ${why}`);
    const result = view?.state["result"] as unknown as AnalystResult | undefined;
    return result?.findings;
  });
}

function sizeOf({ root, listing }: Stage): number {
  return listing.paths.reduce((sum, path) => sum + statSync(fileOf(root, path)).size, 0);
}
