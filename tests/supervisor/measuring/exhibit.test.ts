import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { EntryView } from "stint";
import { makeRig, type Rig, type Rung } from "../rig.ts";

/** Two processes, one of which holds five files more than it was started with. */
const HOLDER = ["/bin/sh", "-c", "exec 5</dev/null 6</dev/null 7</dev/null; sleep 600 & wait"];

const WITHIN = { timeout: 20_000, interval: 50 };

interface Exhibit {
  readonly quarantine_seq: number;
  readonly process_count: number;
  readonly open_file_count: number;
  readonly memory_bytes: number;
  readonly processes: readonly { readonly name: string; readonly open_files: number }[];
}

function quarantine(rig: Rig, worker: string) {
  const data = { worker, reason: "odd", source: "a test", severity: "low" };
  return rig.command("worker.quarantine", data);
}

async function notesAbout(rig: Rig, id: string): Promise<readonly EntryView[]> {
  return rig.entriesAbout(id, "worker.noted");
}

describe.each<Rung>(["best", "process-group"])("on the rung %s", (rung) => {
  test("[QR8] what is frozen is put on record, with processes, files and memory", async () => {
    const rig = await makeRig();
    await rig.supervise({ rung });
    const id = await rig.start(HOLDER);
    await expect.poll(() => rig.processes().length, WITHIN).toBe(2);
    const openFiles = rig
      .processes()
      .map(({ pid }) => readdirSync(`/proc/${pid}/fd`).length)
      .reduce((sum, count) => sum + count, 0);
    expect((await quarantine(rig, id)).body.ok).toBe(true);
    await expect.poll(async () => (await notesAbout(rig, id)).length, WITHIN).toBe(1);

    const [note] = await notesAbout(rig, id);
    const { text, evidence } = (note?.data ?? {}) as unknown as {
      readonly text: string;
      readonly evidence: Exhibit;
    };
    const [quarantined] = await rig.entriesAbout(id, "worker.quarantined");
    expect(evidence).toMatchObject({
      quarantine_seq: quarantined?.seq,
      process_count: 2,
      open_file_count: openFiles,
    });
    expect(evidence.memory_bytes).toBeGreaterThan(0);
    expect(evidence.processes.map(({ name }) => name)).toEqual(["sh", "sleep"]);
    expect(text).toMatch(/^frozen with 2 processes, \d+ open files, [\d.]+ MiB of memory$/);
    expect(note?.actor.kind).toBe("supervisor");
    const report = await rig.fleet.report();
    expect(report.records[0]?.notes).toEqual([text]);
  });

  test("[QR8] each quarantine is put on record, and the worker runs in between", async () => {
    const rig = await makeRig();
    await rig.supervise({ rung });
    const id = await rig.start(HOLDER);
    for (const count of [1, 2]) {
      expect((await quarantine(rig, id)).body.ok).toBe(true);
      await expect.poll(async () => (await notesAbout(rig, id)).length, WITHIN).toBe(count);
      const lifted = await rig.command("worker.unquarantine", { worker: id, resolution: "seen" });
      expect(lifted.body.ok).toBe(true);
    }
    const of = (note: EntryView): unknown =>
      (note.data as unknown as { readonly evidence: Exhibit }).evidence.quarantine_seq;
    const quarantines = await rig.entriesAbout(id, "worker.quarantined");
    expect((await notesAbout(rig, id)).map(of)).toEqual(quarantines.map(({ seq }) => seq));
  });
});
