import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { contextOf } from "./context.ts";

const condition = new URL("../../../src/kernel/condition/condition.ts", import.meta.url).href;
const library = import.meta.resolve("@marcbachmann/cel-js");

const sources = [
  "timestamp('2024-01-01T00:00:00.000') > timestamp(0)",
  "timestamp('2024-07-01T12:00:00.000').getHours() == 12",
  "timestamp(0).getDayOfYear() == 0",
  "duration('1h') > duration('59m')",
  "active_count >= 5 && string(state.ratio) == '2.5'",
  "state.at_ms / 3600000 % 24 == 12",
  "state.list.all(x, x.name > 'Z')",
];

// What the library itself says without our list: it shows that the zone of a process does matter.
const script = `
  import { checkCondition, evaluateCondition } from ${JSON.stringify(condition)};
  import { evaluate } from ${JSON.stringify(library)};
  const { sources, context } = JSON.parse(process.env.STINT_TEST_INPUT);
  console.log(JSON.stringify({
    hour: new Date(0).getHours(),
    library: String(evaluate("timestamp('2024-07-01T12:00:00.000').getHours()")),
    checks: sources.map(checkCondition),
    verdicts: sources.map((source) => evaluateCondition(source, context)),
  }));
`;

const state = { ratio: 2.5, at_ms: 1_719_835_200_000, list: [{ name: "É" }, { name: "a" }] };

function runIn(zone: string): Record<string, unknown> {
  const input = JSON.stringify({ sources, context: contextOf({ state }) });
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    timeout: 20_000,
    env: { ...process.env, TZ: zone, LANG: "C", STINT_TEST_INPUT: input },
  });
  expect(child.stderr).toBe("");
  return JSON.parse(child.stdout) as Record<string, unknown>;
}

test("[CD4] a condition says the same in processes of two time zones", () => {
  const west = runIn("America/Los_Angeles");
  const east = runIn("Asia/Kathmandu");
  expect([west["hour"], east["hour"]]).toEqual([16, 5]);
  expect([west["library"], east["library"]]).toEqual(["19", "6"]);
  expect(east["checks"]).toEqual(west["checks"]);
  expect(east["verdicts"]).toEqual(west["verdicts"]);
  expect(west["checks"]).toEqual(
    sources.map(
      (source) => expect.objectContaining({ ok: !/timestamp|duration/.test(source) }) as unknown,
    ),
  );
  expect((west["verdicts"] as unknown[]).slice(4)).toEqual(
    Array.from({ length: 3 }, () => ({ triggered: true })),
  );
});
