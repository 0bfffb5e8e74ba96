import type { Entry } from "../../kernel/entry.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { errorText } from "../../library/error-text.ts";
import type { Member } from "../../library/member.ts";
import type { Sandboxes } from "../../library/process/sandboxes.ts";
import { supervisorOf } from "../../library/seat.ts";
import type { SandboxExhibit } from "../../ports/sandbox.ts";

const bytesPerMib = 2 ** 20;

/**
 * Puts on record what is there when a worker of this supervisor is frozen in quarantine: a note
 * with processes, open files and memory, once for each quarantine. It may be lost when the
 * supervisor dies at that moment; nothing but the record depends on it.
 */
export class Exhibits {
  readonly #member: Member & { readonly sandboxes: Sandboxes };
  readonly #unsubscribe: () => void;
  readonly #taking = new Set<Promise<void>>();

  constructor(member: Member & { readonly sandboxes: Sandboxes }) {
    this.#member = member;
    this.#unsubscribe = member.seat.loop.onEntry((entry) => this.#hear(entry));
  }

  /** Takes no more, and waits for those that are being taken. Safe to call twice. */
  async close(): Promise<void> {
    this.#unsubscribe();
    await Promise.all(this.#taking);
  }

  #hear({ kind, data, seq }: Entry): void {
    if (kind !== "worker.quarantined" || !this.#member.sandboxes.isOwn(data.worker)) return;
    const taking = this.#take(data.worker, seq).catch((error: unknown) => {
      const facts = { worker: data.worker, error: errorText(error) };
      this.#member.seat.log.warn("what a frozen worker has could not be put on record", facts);
    });
    this.#taking.add(taking);
    void taking.finally(() => this.#taking.delete(taking));
  }

  async #take(worker: string, seq: number): Promise<void> {
    const { seat, sandboxes } = this.#member;
    await sandboxes.freezer.align(worker);
    const isHeld = seat.loop.state().workers.get(worker)?.quarantine ?? null;
    if (isHeld === null || !sandboxes.freezer.isFrozen(worker)) return;
    const exhibit = await sandboxes.examine(worker);
    if (exhibit === undefined) return;
    // Flat JSON: absent fields are left out by whoever looked.
    const evidence = { ...exhibit, quarantine_seq: seq } as unknown as JsonObject;
    const data = { worker, text: wordsOf(exhibit), evidence };
    await seat.loop.submit({ kind: "worker.note", data }, supervisorOf(seat));
  }
}

function wordsOf({ process_count, open_file_count, memory_bytes }: SandboxExhibit): string {
  const mib = (memory_bytes / bytesPerMib).toFixed(1);
  const [processes, files] = [process_count, open_file_count].map(String);
  return `frozen with ${processes} processes, ${files} open files, ${mib} MiB of memory`;
}
