import { beforeAll, describe, expect, test } from "vitest";
import { messageForPeople } from "../../src/cli/text/amounts.ts";
import { reportError } from "../../src/cli/report.ts";
import { Refused } from "../../src/library/refused.ts";
import { builtBin } from "../support/cli.ts";
import { makeGround } from "./ground.ts";
import { makeSite, recordLife } from "./recorded.ts";

beforeAll(async () => void (await builtBin()), 120_000);

const CONFIG = "[contract]\nmax_replicas = 1\nrefusals_per_minute = 3\n";

describe("a refusal of the command line", () => {
  test("[CL32] it leads to its explanation, also when the supervisor has relayed it", async () => {
    const ground = await makeGround({ config: CONFIG });
    await ground.spawn("only");
    const refused = await ground.call(["spawn", "--name", "more", "--", "sleep", "300"]);
    expect(refused.exit).toBe(3);
    const [, seq] = /\nwhy: `stint explain (\d+)`\n$/.exec(refused.stderr) ?? [];
    const explained = await ground.done(["explain", String(seq), "--json"]);
    expect(explained.json().data).toMatchObject({ kind: "command.refused", code: "max_replicas" });

    const answered = (await ground.call(["run", "--json", "--", "true"])).json();
    expect(answered).toMatchObject({ ok: false, refusal: { code: "max_replicas" } });
    const last = (await ground.done(["explain", "--last", "--json"])).json();
    expect(answered.seq).toBe(last.seq);
    expect(last.data.code).toBe("max_replicas");

    // What is refused above the limit on refusals is no entry.
    await ground.call(["run", "--", "true"]);
    const limited = await ground.call(["run", "--", "true"]);
    expect(limited.stderr).toContain("refused (rate_limited)");
    expect(limited.stderr).not.toContain("explain");
    const unrecorded = (await ground.call(["run", "--json", "--", "true"])).json();
    expect(unrecorded.refusal.code).toBe("rate_limited");
    expect(unrecorded).not.toHaveProperty("seq");
  });

  test("[CL32] the fleet that was named is named in the hint", () => {
    const refusal = { code: "fleet_paused", message: "no", facts: {} } as const;
    const report = reportError(new Refused(refusal, 7), "stint explain 7 --fleet /x");
    expect(report.text).toBe("refused (fleet_paused): no\nwhy: `stint explain 7 --fleet /x`");
    expect(reportError(new Refused(refusal, 7)).text).toBe("refused (fleet_paused): no");
  });

  test.each([
    ["memory_bytes", 200 * 2 ** 20, 2 ** 27, "memory must be at most 128MiB, got 200MiB"],
    ["cpu_milli", 2_000, 500, "cpu must be at most 0.5, got 2.0"],
    ["wall_ms", 3_600_000, 60_000, "wall must be at most 1m, got 1h"],
    ["processes", 9, 4, "processes must be at most 4, got 9"],
  ])("[CL33] amounts of %s are told in the units in which they are typed", (key, ...so) => {
    const [asked, free, expected] = so;
    const message = `${key} must be at most ${free}, got ${asked}`;
    const refusal = { code: "budget_exceeded", message, facts: { key, asked, free } } as const;
    expect(messageForPeople(refusal)).toBe(expected);
    const { json, text } = reportError(new Refused(refusal));
    expect(text).toBe(`refused (budget_exceeded): ${expected}`);
    expect(json).toMatchObject({ refusal: { message } });
  });
});

test("[EX31] the newest refusal is explained, of all or of one worker", async () => {
  const site = makeSite();
  const { refusedSeq, workers } = await recordLife(site);
  const last = await site.call(["explain", "--last", "--json"]);
  expect(last.json()).toMatchObject({ seq: refusedSeq, data: { code: "max_replicas" } });
  const [, child] = workers;
  const none = await site.call(["explain", "--last", "--worker", child]);
  expect(none).toMatchObject({ exit: 4, stdout: "" });
  const fleet = await site.open({ maxReplicas: 2 });
  const asked = fleet.stop(child);
  await expect(asked).rejects.toMatchObject({ code: "worker_ended" });
  await fleet.close();
  const its = await site.call(["explain", "--last", "--worker", "child", "--json"]);
  expect(its.json().data.code).toBe("worker_ended");
  for (const args of [[], ["3", "--last"], ["3", "--worker", child]])
    expect((await site.call(["explain", ...args])).exit).toBe(2);
});
