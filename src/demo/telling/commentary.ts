import type { EntryView } from "../../index.ts";

/**
 * Puts the entries of a journal into words, one after the other: it learns the names from them. Of
 * refusals by the same rule it tells the first; the others it counts.
 */
export class Commentary {
  readonly #names = new Map<string, string>();
  /** What leases are on. */
  readonly #things = new Map<string, string>();
  readonly #refusedBy = new Set<string>();
  readonly #untold = new Map<string, number>();

  /** A line for an entry; undefined for one that a spectator need not know of. */
  describe(entry: EntryView): string | undefined {
    if (entry.kind === "worker.admitted") {
      const { instance, name } = entry.data.manifest;
      this.#names.set(instance, name);
    }
    if (entry.kind === "command.refused" && this.#isTold(entry.data.code)) return undefined;
    const words = this.#words(entry);
    return words === undefined ? undefined : journalLine(String(entry.seq), words);
  }

  /** A line for the refusals that were only counted since the last such line; none: undefined. */
  countRefusals(): string | undefined {
    const counts = [...this.#untold].map(([code, count]) => `${code} ${count}`);
    if (counts.length === 0) return undefined;
    const sum = [...this.#untold.values()].reduce((all, count) => all + count, 0);
    this.#untold.clear();
    return journalLine("", ["REFUSED", `and ${sum} more: ${counts.join(", ")}`]);
  }

  /** Whether a refusal by this rule was told before; this one is counted, then. */
  #isTold(code: string): boolean {
    if (this.#refusedBy.has(code)) {
      this.#untold.set(code, (this.#untold.get(code) ?? 0) + 1);
      return true;
    }
    this.#refusedBy.add(code);
    return false;
  }

  /** What happened as one word, and the rest. */
  #words(entry: EntryView): readonly [string, string] | undefined {
    const named = this.#named;
    switch (entry.kind) {
      case "fleet.created":
        return ["fleet", `${entry.data.fleet} begins under its contract`];
      case "contract.enacted":
        return ["contract", "changed for what this host cannot hold"];
      case "worker.admitted": {
        const { instance, parent, depth } = entry.data.manifest;
        const below = parent === null ? "as the root" : `below ${named(parent)}, depth ${depth}`;
        return ["admitted", `${named(instance)} ${below}: ${entry.data.reason}`];
      }
      case "worker.registered":
        return [
          "running",
          `${named(entry.data.worker)}, process ${entry.data.process?.pid ?? "?"}`,
        ];
      case "command.refused":
        return ["REFUSED", `${this.#whom(entry)}${entry.data.code}: ${this.#told(entry.data)}`];
      default:
        return this.#wordsOfLife(entry);
    }
  }

  #wordsOfLife(entry: EntryView): readonly [string, string] | undefined {
    const named = this.#named;
    switch (entry.kind) {
      case "worker.staled":
        return ["stale", `${named(entry.data.worker)}: silent for ${entry.data.silentMs} ms`];
      case "worker.flagged":
        return ["flagged", `${named(entry.data.worker)}: alive but silent`];
      case "worker.recovered":
        return ["recovered", named(entry.data.worker)];
      case "worker.quarantined":
        return ["QUARANTINE", `${named(entry.data.worker)}: ${entry.data.reason}`];
      case "worker.unquarantined":
        return ["lifted", `${named(entry.data.worker)}: ${entry.data.resolution}`];
      case "worker.stopping":
        return ["stopping", `${named(entry.data.worker)}: ${entry.data.reason}`];
      case "worker.stopped": {
        const { worker, reason, evidence } = entry.data;
        return ["stopped", `${named(worker)}: ${reason}, evidence ${evidence.grade}`];
      }
      case "lease.granted": {
        const { holder, region } = entry.data;
        const thing = this.#keepThing(`l-${entry.seq}`, region);
        return ["leased", `${thing} to ${named("worker" in holder ? holder.worker : holder.name)}`];
      }
      case "lease.released":
        return ["returned", this.#things.get(entry.data.lease) ?? entry.data.lease];
      case "fleet.killed":
        return ["KILLED", `for good, with ${entry.data.liveCount} live workers`];
      case "receipt.recorded":
        return ["receipt", "recorded"];
      default:
        return undefined;
    }
  }

  readonly #named = (id: string): string =>
    `${this.#names.get(id) ?? "worker"} (${id.slice(0, 8)})`;

  #keepThing(lease: string, region: readonly string[]): string {
    const thing = region.join(" ");
    this.#things.set(lease, `${thing} (${lease})`);
    return `${thing} (${lease})`;
  }

  /** What a refusal says, with the names of those it is about; a lease's end is no date to read. */
  #told({ code, message }: { readonly code: string; readonly message: string }): string {
    if (code !== "conflict") return message;
    return message.replace(/ until [\d:.TZ-]+$/, "").replaceAll(/\bw-[a-z2-7]{16}\b/g, this.#named);
  }

  /** Whom the rules said no to; an operator needs no name here. */
  #whom({ actor }: EntryView): string {
    return actor.id?.startsWith("w-") === true ? `${this.#named(actor.id)}, ` : "";
  }
}

function journalLine(seq: string, [verb, text]: readonly [string, string]): string {
  return `${seq.padStart(4)}  ${verb.padEnd(10)} ${text}`;
}
