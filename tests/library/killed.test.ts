import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exportJournal, importJournal, openFleet, sqlite, type Fleet } from "stint";
import { writeFile } from "node:fs/promises";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stint-killed-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const SECRET = "a secret for killed fleets";
const storeAt = (name: string): ReturnType<typeof sqlite> => sqlite({ dir: join(folder, name) });
const openAt = (name: string): Promise<Fleet> =>
  openFleet({ store: storeAt(name), secret: SECRET });

async function createAt(name: string): Promise<Fleet> {
  return openFleet({ store: storeAt(name), secret: SECRET, contract: { maxReplicas: 3 } });
}

describe("a killed fleet stays killed", () => {
  test("[KL80] also in a copy of its folder from before the kill (replication B8)", async () => {
    const fleet = await createAt("own");
    await fleet.close();
    cpSync(join(folder, "own"), join(folder, "copy"), { recursive: true });
    const again = await openAt("own");
    await again.kill({ reason: "drill" });
    await again.close();
    const copy = await openAt("copy");
    expect(copy.status).toBe("killed");
    expect(await copy.tryStart()).toMatchObject({ refusal: { code: "fleet_killed" } });
    await copy.close();
  });

  test("[KL80] also in an import of an export from before the kill", async () => {
    const fleet = await createAt("own");
    const path = join(folder, "before.jsonl");
    await writeFile(path, exportJournal(storeAt("own")));
    await fleet.kill({ reason: "drill" });
    await fleet.close();
    await importJournal(storeAt("import"), { path });
    const imported = await openAt("import");
    expect(imported.status).toBe("killed");
    await imported.close();
  });

  test("[KL81] a folder with a permit and no journal is no new fleet", async () => {
    const fleet = await createAt("own");
    await fleet.close();
    for (const name of ["journal.db", "journal.db-wal", "journal.db-shm", "head"])
      rmSync(join(folder, "own", name), { force: true });
    await expect(createAt("own")).rejects.toMatchObject({ code: "journal_missing" });
  });
});
