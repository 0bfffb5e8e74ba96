// What is deployed, as far as it can be told without deploying it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { VERBS } from "../../src/cli/commands/up.ts";
import { serveFleet } from "./rig.ts";

const DEPLOY = join(import.meta.dirname, "../../deploy");

function read(name: string): string {
  return readFileSync(join(DEPLOY, name), "utf8");
}

/** Whether these words are a call of `stint up` that its options take. */
function demandCall(words: readonly string[]): void {
  const [program, verb, ...args] = words;
  expect([program, verb]).toEqual(["stint", "up"]);
  const options = new Map(
    (VERBS[0]?.options ?? []).map((one) => [one.flags.split(" ")[0], one] as const),
  );
  for (let at = 0; at < args.length; at += 1) {
    const option = options.get(args[at]);
    expect([args[at], option === undefined]).toEqual([args[at], false]);
    if (option?.flags.includes("<") !== true) continue;
    at += 1;
    expect(() => option.parse?.(args[at] ?? "")).not.toThrow();
  }
}

test("[UP4] the unit runs a call that `stint up` takes, and leaves the supervisor alone", () => {
  const unit = read("stint.service");
  const line = /^ExecStart=\/usr\/bin\/env (.*)$/m.exec(unit)?.[1] ?? "";
  demandCall(line.split(" "));
  expect(unit).toMatch(/^KillMode=process$/m);
  const sections = [...unit.matchAll(/^\[(\w+)\]$/gm)].map(([, name]) => name);
  expect(sections).toEqual(["Unit", "Service", "Install"]);
  const others = unit.split("\n").filter((text) => !/^(#.*|\[\w+\]|[A-Z]\w+=.*|)$/.test(text));
  expect(others).toEqual([]);
});

test("[UP4] the container runs a call that `stint up` takes, and not as root", () => {
  const file = read("Containerfile");
  const words = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(file)?.[1] ?? "[]") as string[];
  // The first process of a container has to reap those whose parents are gone.
  expect(words.slice(0, 2)).toEqual(["tini", "--"]);
  demandCall(words.slice(2));
  expect(file).toMatch(/^USER (?!root)/m);
});

test("[UP4] every number in the alerts is one that /metrics has", async () => {
  const served = await serveFleet();
  try {
    const token = await served.token("viewer");
    const text = await (await served.ask("/metrics", { token })).text();
    const source = readFileSync(
      join(import.meta.dirname, "../../src/library/feed/prometheus.ts"),
      "utf8",
    );
    const said = new Set([
      ...[...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name),
      // Of what was never checked there is no number yet.
      ...[...source.matchAll(/"(stint_armed_check_\w+)"/g)].map(([, name]) => name),
    ]);
    const asked = [...read("alerts.yml").matchAll(/\bstint_\w+/g)].map(([name]) => name);
    expect(asked.length).toBeGreaterThan(8);
    expect(asked.filter((name) => !said.has(name))).toEqual([]);
  } finally {
    await served.close();
  }
});
