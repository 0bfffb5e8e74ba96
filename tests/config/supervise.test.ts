import { expect, test } from "vitest";
import { readConfig } from "../../src/config/config.ts";
import type { InputError } from "../../src/protocol/input.ts";

test("[SU16] `[supervise]` says what a plan aims at; it is of no contract", () => {
  const { contract } = readConfig("", "stint.toml");
  const text =
    '[supervise]\ntarget = 3\nlanes = ["api", "docs"]\ntemplate = ["./agent.sh", "{lane}"]\n' +
    'network = "open"\nreap = false\ncount_spinning = false\n';
  const config = readConfig(text, "stint.toml");
  expect(config.contract).toEqual(contract);
  expect(config.notes).toEqual([]);
  expect(config.supervise).toEqual({
    target: 3,
    lanes: ["api", "docs"],
    template: ["./agent.sh", "{lane}"],
    network: "open",
    reap: false,
    count_spinning: false,
  });
  expect(readConfig("", "stint.toml").supervise).toEqual({});
});

test.each([
  ["target = 1.5", "2: supervise.target must be an integer from 0 to 100000, got 1.5"],
  ["template = 'agent.sh'", "2: supervise.template must be an array of texts: a program and its"],
  ["template = [1]", "2: supervise.template[0] must be text of 1 to 4096 bytes"],
  ["lanes = ['a b']", '2: supervise.lanes[0] must be 1 to 64 letters, digits, ".", "_" or "-"'],
  ["network = 'some'", "2: supervise.network must be one of"],
  ["targets = 2", "2: supervise.targets must be absent"],
])("[SU16] %s is named with its line", (line, expected) => {
  let message = "";
  try {
    readConfig(`[supervise]\n${line}\n`, "stint.toml");
  } catch (error) {
    message = (error as InputError).message;
  }
  expect(message).toContain(`stint.toml:${expected}`);
});
