import { appendFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exportJournal, Fault, importJournal, openFleet, sqlite, type Fleet } from "stint";

const CONTRACT = { maxReplicas: 5 };
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stint-export-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const SECRET = "a secret for exports only";
const at = (dir: string): Promise<Fleet> =>
  openFleet({ store: sqlite({ dir: join(folder, dir) }), secret: SECRET });

/** A fleet with a little history, exported; answers the file. */
async function exportFleet(end: "close" | "kill"): Promise<string> {
  const store = sqlite({ dir: join(folder, "from") });
  const fleet = await openFleet({ store, secret: SECRET, contract: CONTRACT });
  const worker = await fleet.start({ name: "one", state: { part: 1 } });
  await worker.checkpoint({ part: 2 });
  await worker.shutdown("completed");
  if (end === "kill") await fleet.kill({ reason: "drill" });
  await fleet.close();
  const file = join(folder, "journal.jsonl");
  writeFileSync(file, "");
  for await (const line of exportJournal(store)) appendFileSync(file, line);
  return file;
}

describe("export and import", () => {
  test("[LB80] an imported journal has the same hashes, and opens paused", async () => {
    const path = await exportFleet("close");
    const { head } = await importJournal(sqlite({ dir: join(folder, "to") }), { path });
    const [from, to] = [await at("from"), await at("to")];
    const hashes = async (fleet: Fleet): Promise<string[]> => {
      const read: string[] = [];
      for await (const entry of fleet.entries()) read.push(entry.hash);
      return read.slice(0, head.seq);
    };
    expect(await hashes(to)).toEqual(await hashes(from));
    expect(to.status).toBe("paused");
    expect((await to.tryStart()).ok).toBe(false);
    await to.resume();
    expect((await to.tryStart()).ok).toBe(true);
    expect((await to.audit()).problems).toEqual([]);
    await from.close();
    await to.close();
  });

  test("[LB80] the permit comes last: whoever dies before it leaves nothing open", async () => {
    const path = await exportFleet("close");
    const store = sqlite({ dir: join(folder, "to") });
    const kinds: string[] = [];
    const watched: typeof store = {
      kind: "sqlite",
      open: async (options) => {
        const opened = await store.open(options);
        const grant = async (fleet: string): Promise<void> => {
          const { seq } = await opened.journal.head();
          const [last] = await opened.journal.readStored(seq - 1, 1);
          kinds.push(last?.text.includes('"fleet.recovered"') === true ? "paused" : "open");
          await opened.permit.grant(fleet);
        };
        return { ...opened, permit: { ...opened.permit, grant } };
      },
    };
    await importJournal(watched, { path });
    expect(kinds).toEqual(["paused"]);
  });

  test("[LB81] a killed fleet is killed after an import, too (replication B8)", async () => {
    const path = await exportFleet("kill");
    await importJournal(sqlite({ dir: join(folder, "to") }), { path });
    const to = await at("to");
    expect(to.status).toBe("killed");
    expect(await to.tryStart()).toMatchObject({ refusal: { code: "fleet_killed" } });
    await to.close();
  });

  test("[LB87] where there is no journal nothing is exported, and nothing created", async () => {
    const nowhere = join(folder, "mistyped");
    const lines = exportJournal(sqlite({ dir: nowhere }));
    await expect(lines.next()).rejects.toMatchObject({ code: "journal_missing" });
    expect(existsSync(nowhere)).toBe(false);
  });

  test("[LB82] only an empty store takes a journal over", async () => {
    const path = await exportFleet("close");
    const again = importJournal(sqlite({ dir: join(folder, "from") }), { path });
    await expect(again).rejects.toBeInstanceOf(Fault);
    await expect(again).rejects.toMatchObject({ code: "journal_forked" });
  });
});
