import { expect, test } from "vitest";
import type { Command } from "../../src/kernel/command.ts";
import { admit, begin, granted, idOf, OPERATOR, refused, Rig, self, SUPERVISOR } from "./rig.ts";

const DAY_MS = 86_400_000;
const ACCEPT: Command<"clock.accept"> = {
  kind: "clock.accept",
  data: { reason: "the battery was empty", wall_ms: 7 },
};

test("[RV19] an operator's word is carried though the clock is not believed", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  const startMs = loop.state().at_ms;
  rig.clock.advance(1_000);
  rig.clock.stepWall(-30 * DAY_MS);
  await expect(loop.submit(admit("a"), OPERATOR)).rejects.toMatchObject({ code: "clock_skew" });
  const { entries } = await granted(loop.submit(ACCEPT, OPERATOR));
  expect(entries).toMatchObject([
    { kind: "clock.accepted", at_ms: startMs + 1_000, actor: OPERATOR, data: ACCEPT.data },
  ]);
  await granted(loop.submit(admit("a"), OPERATOR));
  await loop.close();
});

test("[RV19] what is past its time by the accepted clock ends with that very word", async () => {
  const rig = new Rig();
  const loop = await rig.found({ lifetime_ms: DAY_MS });
  await begin(loop, "a");
  rig.clock.stepWall(8 * DAY_MS);
  const { entries } = await granted(loop.submit(ACCEPT, OPERATOR));
  expect(entries.map(({ kind }) => kind)).toEqual(["worker.stopping", "clock.accepted"]);
  await loop.close();
});

test("[RV20] the word of one who may not give it ties nothing anew", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  await begin(loop, "a");
  const seq = loop.head().seq;
  rig.clock.stepWall(-30 * DAY_MS);
  for (const actor of [SUPERVISOR, self("a")])
    await expect(loop.submit(ACCEPT, actor)).rejects.toMatchObject({ code: "clock_skew" });
  expect(loop.head().seq).toBe(seq);
  rig.clock.stepWall(30 * DAY_MS);
  const refusal = await refused(loop.submit(ACCEPT, SUPERVISOR));
  expect(refusal.code).toBe("not_authorised");
  await loop.close();
});

test("[RV20] what is asked beside it waits for a clock that is believed again", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  rig.clock.stepWall(-30 * DAY_MS);
  const [before, word, beyond] = await Promise.allSettled([
    loop.submit(admit("a"), OPERATOR),
    loop.submit(ACCEPT, OPERATOR),
    loop.submit(admit("b"), OPERATOR),
  ]);
  expect(before).toMatchObject({ status: "rejected", reason: { code: "clock_skew" } });
  expect([word, beyond]).toMatchObject([{ value: { ok: true } }, { value: { ok: true } }]);
  await loop.close();
});

test("[RV20] a word that is repeated under its id ties nothing a second time", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  rig.clock.stepWall(-30 * DAY_MS);
  const first = await granted(loop.submit(ACCEPT, OPERATOR, { id: "once" }));
  rig.clock.stepWall(-30 * DAY_MS);
  const again = await granted(loop.submit(ACCEPT, OPERATOR, { id: "once" }));
  expect(again.seq).toBe(first.seq);
  await expect(loop.submit(admit("a"), OPERATOR)).rejects.toMatchObject({ code: "clock_skew" });
  await loop.close();
});

test("[RV20] a running fleet is not recovered", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  const hashes = { kept_hash: loop.head().hash, remembered_hash: "f".repeat(64) };
  const data = { reason: "why not", ...hashes, remembered_seq: 99, workers: [] };
  const command: Command = { kind: "fleet.recover", data };
  const seq = loop.head().seq;
  expect((await refused(loop.submit(command, OPERATOR))).code).toBe("not_authorised");
  expect(loop.head().seq).toBe(seq);
  await loop.close();
});

test("[ID8] a command that is repeated with a new measure is the same command", async () => {
  const rig = new Rig();
  const loop = await rig.found({ budget: { memory_bytes: 100 } });
  await begin(loop, "p");
  const asked = { parent: idOf("p"), budget: { memory_bytes: 10 } };
  const measured = (memory_bytes: number): Command =>
    admit("a", { ...asked, parent_use: { memory_bytes } });
  const first = await granted(loop.submit(measured(50), OPERATOR, { id: "once" }));
  const again = await granted(loop.submit(measured(99), OPERATOR, { id: "once" }));
  expect(again.seq).toBe(first.seq);
  const other = admit("a", { ...asked, reason: "another" });
  const refusal = await refused(loop.submit(other, OPERATOR, { id: "once" }));
  expect(refusal.code).toBe("command_mismatch");
  await loop.close();
});
