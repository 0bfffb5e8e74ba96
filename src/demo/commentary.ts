import type { EntryView, Fleet } from "../index.ts";

/** Names of workers by id, as their admissions gave them. */
type Names = Map<string, string>;

/** Tells what the journal records, as it happens, until the fleet's handle is closed. */
export async function comment(fleet: Fleet, tell: (line: string) => void): Promise<void> {
  const names: Names = new Map();
  for await (const entry of fleet.entries({ follow: true })) {
    const line = describe(entry, names);
    if (line !== undefined) tell(`${String(entry.seq).padStart(4)}  ${line}`);
  }
}

function describe(entry: EntryView, names: Names): string | undefined {
  const named = (id: string): string => `${names.get(id) ?? "worker"} (${id.slice(0, 8)})`;
  switch (entry.kind) {
    case "fleet.created":
      return `fleet ${entry.data.fleet} begins under its contract`;
    case "worker.admitted": {
      const { instance, name, parent, depth } = entry.data.manifest;
      names.set(instance, name);
      const below = parent === null ? "as a root" : `below ${named(parent)}`;
      return `admitted   ${named(instance)} ${below}, depth ${depth}: ${entry.data.reason}`;
    }
    case "worker.registered":
      return `running    ${named(entry.data.worker)}, process ${entry.data.process?.pid ?? "?"}`;
    case "command.refused":
      return `REFUSED    ${whom(entry.actor.id, named)}${entry.data.code}: ${entry.data.message}`;
    case "worker.staled":
      return `stale      ${named(entry.data.worker)}: silent for ${entry.data.silentMs} ms`;
    case "worker.flagged":
      return `flagged    ${named(entry.data.worker)}: alive but silent`;
    case "worker.recovered":
      return `recovered  ${named(entry.data.worker)}`;
    case "worker.stopping":
      return `stopping   ${named(entry.data.worker)}: ${entry.data.reason}`;
    case "worker.stopped": {
      const { worker, reason, evidence } = entry.data;
      return `stopped    ${named(worker)}: ${reason}, evidence ${evidence.grade}`;
    }
    case "fleet.killed":
      return `KILLED     for good, with ${entry.data.liveCount} live workers: ${entry.data.reason}`;
    case "receipt.recorded":
      return "receipt    recorded";
    default:
      return undefined;
  }
}

/** Whom the rules said no to; an operator needs no name here. */
function whom(id: string | undefined, named: (id: string) => string): string {
  return id?.startsWith("w-") === true ? `${named(id)}, ` : "";
}
