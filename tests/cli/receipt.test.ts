import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sqlite } from "stint";
import type { JsonObject } from "../../src/kernel/json.ts";
import { openLoop } from "../../src/runtime/open-loop.ts";
import { readSecretFile } from "../../src/signing/secret-file.ts";
import { openSigner } from "../../src/signing/signer.ts";
import { systemRandom } from "../../src/system/random.ts";
import { makeSite, recordLife, talkingRun, type Site } from "./recorded.ts";

describe("[EX9] a receipt", () => {
  test("is found by its own entry, and by any of the order that it is about", async () => {
    const site = makeSite();
    const { stopSeq, receiptSeq, workers } = await recordLife(site);
    const calls = await Promise.all(
      // A stop of two is two entries of one decision.
      [receiptSeq, stopSeq, stopSeq - 1].map((seq) =>
        site.call(["receipt", String(seq), "--json"]),
      ),
    );
    for (const told of calls) {
      expect(told.exit).toBe(0);
      const { data, seq } = told.json();
      expect(seq).toBe(receiptSeq);
      expect(data).toMatchObject({ recorded_seq: receiptSeq, is_signed: true, is_whole: true });
      expect(data.receipt).toMatchObject({
        order: "stop",
        seq: stopSeq,
        stopped_count: 2,
        survivor_count: 0,
        proven: true,
        grades: { settled: 2 },
      });
      const ids = data.receipt.workers.map(({ id }: { readonly id: string }) => id);
      expect(ids.toSorted()).toEqual(workers.toSorted());
    }
  });

  test("is the newest when no entry is named, and there may be none", async () => {
    const site = makeSite();
    const fleet = await site.open();
    const none = await site.call(["receipt", "--json"]);
    expect(none.exit).toBe(4);
    expect(none.json().error).toMatchObject({
      code: "entry_unknown",
      message: expect.stringMatching(/^the newest receipt must be .* got none$/),
    });
    for (const name of ["one", "two"])
      await fleet.stop((await fleet.start({ name, run: talkingRun("") })).id, { graceMs: 0 });
    await fleet.close();
    const { data } = (await site.call(["receipt", "--json"])).json();
    expect(data.receipt.workers).toMatchObject([{ name: "two" }]);
  });

  test("is shown to people with every worker's evidence", async () => {
    const site = makeSite();
    const { receiptSeq, workers } = await recordLife(site);
    const { stdout } = await site.call(["receipt", String(receiptSeq)]);
    expect(stdout).toMatch(/^proof +proven$/m);
    expect(stdout).toMatch(/^signature +valid, key [0-9a-f]{16}$/m);
    expect(stdout).toMatch(new RegExp(`^${workers[0]} +main +settled +yes$`, "m"));
  });

  test("that was never given is not found", async () => {
    const site = makeSite();
    const { refusedSeq } = await recordLife(site);
    const told = await site.call(["receipt", String(refusedSeq), "--json"]);
    expect(told.exit).toBe(4);
    expect(told.json().error).toMatchObject({
      code: "entry_unknown",
      message:
        "SEQ must be that of a receipt, or of a kill or stop that has one on record, " +
        `got ${refusedSeq}, which has none`,
    });
  });
});

describe("[EX10] a receipt that proves nothing", () => {
  test("exits with 6: an end that was only swept", async () => {
    const site = makeSite();
    const fleet = await site.open();
    const worker = await fleet.start({ name: "plain", run: talkingRun("") });
    const receipt = await fleet.stop(worker.id, { graceMs: 0 });
    expect(receipt.grades).toEqual({ swept: 1 });
    await fleet.close();
    const told = await site.call(["receipt", String(receipt.seq)]);
    expect(told.exit).toBe(6);
    expect(told.stdout).toMatch(/^proof +not proven; 1 worker was only swept/m);
    expect(told.stdout).toMatch(/^signature +valid/m);
  });

  test.each(["stopped_count", "workers"])("exits with 6: %s was changed", async (field) => {
    const site = makeSite();
    const { receiptSeq } = await recordLife(site);
    const { receipt } = (await site.call(["receipt", String(receiptSeq), "--json"])).json().data;
    const changed = field === "workers" ? receipt.workers.slice(1) : receipt.stopped_count + 1;
    const seq = await recordByHand(site, { ...receipt, [field]: changed });
    const told = await site.call(["receipt", String(seq), "--json"]);
    expect(told.exit).toBe(6);
    expect(told.json().data).toMatchObject({ recorded_seq: seq, is_signed: false });
  });
});

/** Records a receipt as whoever holds the fleet's files could, and answers its entry. */
async function recordByHand({ stateDir }: Site, receipt: JsonObject): Promise<number> {
  const opened = await sqlite({ dir: stateDir }).open({ create: false });
  const { journal } = opened;
  const signer = openSigner(readSecretFile(join(stateDir, "secret")));
  const loop = await openLoop({ journal, signer, random: systemRandom() });
  const by = { kind: "operator", via: "library" } as const;
  const { seq } = await loop.submit({ kind: "receipt.record", data: { receipt } }, by);
  await loop.close();
  await opened.close();
  return seq;
}
