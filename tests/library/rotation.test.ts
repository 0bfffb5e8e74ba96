import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Fault, InputError, openFleet, sqlite, type Fleet } from "stint";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stint-rotation-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const OLD = "the old secret of a fleet";
const NEW = "the new secret of a fleet";
const openWith = (secret?: string): Promise<Fleet> =>
  openFleet({
    store: sqlite({ dir: join(folder, "fleet") }),
    contract: { maxReplicas: 5 },
    ...(secret === undefined ? {} : { secret }),
  });

describe("rotation of the secret", () => {
  test("[LB83] the fleet goes on under the new secret, and only under it", async () => {
    const fleet = await openWith(OLD);
    const before = await fleet.issueManifest({ name: "before" });
    await fleet.rotateSecret(NEW);
    expect(before.ok && (await fleet.register(before.envelope)).ok).toBe(false);
    const worker = await fleet.start({ name: "after" });
    await worker.shutdown();
    await fleet.close();
    await expect(openWith(OLD)).rejects.toMatchObject({ code: "key_mismatch" });
    const again = await openWith(NEW);
    expect((await again.audit()).problems).toEqual([]);
    await again.close();
  });

  test("[LB84] a handle with the old secret starts nothing after a rotation", async () => {
    const [one, other] = [await openWith(OLD), await openWith(OLD)];
    await one.rotateSecret(NEW);
    const started = other.start({ name: "late" });
    await expect(started).rejects.toBeInstanceOf(Fault);
    await expect(started).rejects.toMatchObject({ code: "key_mismatch" });
    await one.look();
    expect(one.workers()).toEqual([]);
    await other.close();
    expect((await one.audit()).problems).toEqual([]);
    await one.close();
  });

  test("[LB85] a secret that lies beside the journal is not rotated by a handle", async () => {
    const fleet = await openWith();
    await expect(fleet.rotateSecret(NEW)).rejects.toBeInstanceOf(InputError);
    await fleet.close();
    const again = await openWith();
    expect(again.status).toBe("open");
    await again.close();
  });

  test("[LB86] a request to halt is an entry, and stops nobody", async () => {
    const fleet = await openWith(OLD);
    const worker = await fleet.start();
    await fleet.requestHalt({ handle: "party:7", reason: "drill", proposed: { kind: "pause" } });
    const kinds: string[] = [];
    for await (const entry of fleet.entries()) kinds.push(entry.kind);
    expect(kinds).toContain("halt.requested");
    expect((await worker.view())?.status).toBe("running");
    expect(fleet.status).toBe("open");
    await fleet.close();
  });
});
