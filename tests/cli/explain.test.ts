import { expect, test } from "vitest";
import { makeSite, recordLife } from "./recorded.ts";

test("[EX8] a refusal is explained in one paragraph, and for programs", async () => {
  const site = makeSite();
  const { refusedSeq, workers } = await recordLife(site);
  const told = await site.call(["explain", String(refusedSeq), "--json"]);
  expect(told.exit).toBe(0);
  expect(told.json()).toMatchObject({
    ok: true,
    seq: refusedSeq,
    data: {
      kind: "command.refused",
      code: "max_replicas",
      facts: { max: 2, live: 2 },
      redecided: "same",
      by_time: false,
    },
  });
  const { text, would_pass: wouldPass } = told.json().data;
  expect(wouldPass).toContain(workers[0]);
  const shown = await site.call(["explain", String(refusedSeq)]);
  expect(shown.stdout.replaceAll("\n", " ").trim()).toBe(text);
  for (const line of shown.stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});

test("[EX5] an entry that is not there is not found", async () => {
  const site = makeSite();
  await recordLife(site);
  const told = await site.call(["explain", "999", "--json"]);
  expect(told.exit).toBe(4);
  expect(told.json()).toMatchObject({ ok: false, error: { code: "entry_unknown" } });
  expect(told.json().error.message).toMatch(/^SEQ must be that of an entry, the newest of which/);
  const wrong = await site.call(["explain", "last"]);
  expect(wrong.exit).toBe(2);
  expect(wrong.stderr).toContain('SEQ must be an integer from 1 on, got "last"');
});
