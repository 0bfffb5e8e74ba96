import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseArguments } from "../../sim/arguments.ts";
import { FROM_SOURCE } from "../support/from-source.ts";

const ROOT = join(import.meta.dirname, "../..");

function sim(...args: readonly string[]): {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  const command = [FROM_SOURCE, "sim/main.ts", ...args];
  return spawnSync(process.execPath, command, { cwd: ROOT, encoding: "utf8" });
}

describe("npm run sim", () => {
  test("[SM8] a clean run exits with 0 and says what happened, counted", () => {
    const { status, stdout } = sim("--seed", "7", "--steps", "60", "--runs", "2");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^2 worlds, \d+ entries, no rule broken; [0-9a-f]{64}$/m);
    expect(stdout).toMatch(/^commands: .*worker\.admit \d+/m);
    const json = sim("--seed", "7", "--steps", "60", "--runs", "2", "--json");
    const { ok, data } = JSON.parse(json.stdout) as { ok: boolean; data: Record<string, unknown> };
    expect(ok).toBe(true);
    expect(data).toMatchObject({ seed: 7, step_count: 60, run_count: 2 });
    expect(stdout).toContain(data["digest"]);
  });

  test("[SM8] a broken rule exits with 1, and the command it prints finds the same again", () => {
    const found = sim("--seed", "1", "--runs", "200", "--fault", "restart-forgets-kill");
    expect(found.status).toBe(1);
    expect(found.stdout).toMatch(/^seed \d+: [A-Z]+\d+ is broken$/m);
    const repeat = /^repeat: npm run sim -- (.*)$/m.exec(found.stdout)?.[1] ?? "";
    expect(repeat).toMatch(/^--seed \d+ --steps 100 --fault restart-forgets-kill$/);
    const again = sim(...repeat.split(" "));
    expect(again.status).toBe(1);
    expect(again.stdout).toBe(found.stdout);
    const json = JSON.parse(sim(...repeat.split(" "), "--json").stdout) as unknown;
    expect(json).toMatchObject({ ok: false, error: { code: "bug", details: { step_count: 100 } } });
  });

  test("[SM8] wrong arguments exit with 2 and say what was expected and what came", () => {
    const { status, stdout, stderr } = sim("--steps", "0");
    expect({ status, stdout }).toStrictEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/--steps must be a whole number from 1 to \d+, got "0"/);
    expect(stderr).toMatch(/usage: npm run sim/);
  });

  test("[SM8] every wrong argument is a sentence, none a number that was not meant", () => {
    const wrong: readonly (readonly [RegExp, ...string[]])[] = [
      [/^--seed must be a whole number from 0 to \d+, got "-1"$/, "--seed=-1"],
      [/^--seed must be .* got "1\.5"$/, "--seed", "1.5"],
      [/^--seed must be .* got "4294967297"$/, "--seed", "4294967297"],
      [/^--steps must be .* got "1e3"$/, "--steps", "1e3"],
      [/^--runs must be .* got ""$/, "--runs", ""],
      [/^--fault must be one of admit-.*, got "gremlins"$/, "--fault", "gremlins"],
      [/--speed/, "--speed", "9"],
      [/seed/, "seed"],
    ];
    for (const [sentence, ...args] of wrong) {
      const parsed = parseArguments(args);
      expect(parsed.ok ? args.join(" ") : parsed.problem).toMatch(sentence);
      expect(parsed.ok).toBe(false);
    }
  });
});
