import { expect, test } from "vitest";
import { makeSite, recordLife } from "./recorded.ts";

test("[MX3] metrics are Prometheus' text, and the same numbers as JSON", async () => {
  const site = makeSite();
  await recordLife(site);
  const { data, seq } = (await site.call(["metrics", "--json"])).json();
  expect(data).toMatchObject({
    status: "open",
    seq,
    live_count: 0,
    max_replicas: 2,
    total_count: 2,
    refusals: { max_replicas: 1 },
    supervisor_up: false,
  });
  expect(data.entries["worker.admitted"]).toBe(2);
  const { stdout, exit } = await site.call(["metrics"]);
  expect(exit).toBe(0);
  expect(stdout).toContain('stint_entries_total{kind="worker.admitted"} 2\n');
  expect(stdout).toContain('stint_refusals_total{code="max_replicas"} 1\n');
  expect(stdout).toContain(`stint_journal_seq ${seq}\n`);
  expect(stdout).toContain("stint_supervisor_up 0\n");
});
