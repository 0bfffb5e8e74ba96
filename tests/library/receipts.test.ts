import { describe, expect, test } from "vitest";
import { openRoomy, rejectionOf } from "./rig.ts";

describe("[EX9] a receipt on record", () => {
  test("is found by the kill that it is about, and holds", async () => {
    const fleet = await openRoomy();
    await fleet.start({ name: "main" });
    const receipt = await fleet.kill({ reason: "drill" });
    const found = await fleet.receipt(receipt.seq ?? 0);
    expect(found).toMatchObject({ isSigned: true, isWhole: true });
    expect(found.receipt).toEqual(receipt);
    expect(await fleet.receipt(found.recordedSeq)).toEqual(found);
  });

  test("of a key that was rotated since still holds", async () => {
    const fleet = await openRoomy();
    const worker = await fleet.start({ name: "main" });
    const receipt = await fleet.stop(worker.id);
    await fleet.rotateSecret("another secret that only this test has");
    const found = await fleet.receipt(receipt.seq ?? 0);
    expect(found.isSigned).toBe(true);
    expect(found.receipt.keyId).toBe(receipt.keyId);
    const next = await fleet.start({ name: "next" });
    const later = await fleet.receipt((await fleet.stop(next.id)).seq ?? 0);
    expect(later.isSigned).toBe(true);
    expect(later.receipt.keyId).not.toBe(receipt.keyId);
  });

  test("that is not there is entry_unknown", async () => {
    const fleet = await openRoomy();
    expect((await rejectionOf(fleet.receipt(1))).message).toContain("1, which has none");
    const far = await rejectionOf(fleet.receipt(10_000));
    expect(far.code).toBe("entry_unknown");
    expect((await rejectionOf(fleet.receipt(0))).code).toBe("usage");
  });
});
