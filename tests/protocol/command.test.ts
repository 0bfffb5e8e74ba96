import { describe, expect, test } from "vitest";
import { parseCommand, parseCommandData } from "../../src/protocol/command.ts";
import { InputError } from "../../src/protocol/input.ts";
import { COMMAND_KINDS } from "../../src/protocol/problem.ts";
import { commandOf } from "../support/commands.ts";
import { idOf } from "../support/scenario.ts";

function problemOf(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  return "taken";
}

describe("[LM11] commands are strict and carry no time of their own (replication G2)", () => {
  test.each(COMMAND_KINDS)("%s is taken whole, and frozen", (kind) => {
    const command = commandOf(kind);
    expect(parseCommand(command)).toStrictEqual(command);
    expect(Object.isFrozen(parseCommandData(kind, command.data))).toBe(true);
  });

  test.each(COMMAND_KINDS)("%s takes no field that it does not know", (kind) => {
    const { data } = commandOf(kind);
    expect(problemOf(() => parseCommandData(kind, { ...data, at_ms: 5 }))).toBe(
      `${kind}.at_ms must be absent (no such field), got 5`,
    );
  });

  test.each(COMMAND_KINDS)("%s misses every field that it needs", (kind) => {
    const { data } = commandOf(kind);
    for (const field of Object.keys(data)) {
      const without = Object.fromEntries(Object.entries(data).filter(([name]) => name !== field));
      expect(problemOf(() => parseCommandData(kind, without))).toMatch(
        new RegExp(`^${kind}\\.${field} must be .*, got (nothing|undefined)`),
      );
    }
  });
});

test("[LM11] a command of no kind, or with more than kind and data, is refused", () => {
  const data = { reason: "x" };
  expect(problemOf(() => parseCommand({ kind: "fleet.kil", data }))).toBe(
    'command.kind must be a kind of command (did you mean fleet.kill?), got "fleet.kil"',
  );
  expect(problemOf(() => parseCommand({ kind: "toString", data }))).toContain("command.kind must");
  expect(problemOf(() => parseCommand({ data }))).toContain("got nothing");
  expect(problemOf(() => parseCommand({ kind: "fleet.kill", data, at_ms: 5 }))).toBe(
    "command.at_ms must be absent (a command has kind and data), got 5",
  );
  for (const value of [null, "fleet.kill", 5, []])
    expect(problemOf(() => parseCommand(value))).toContain("an object with kind and data, got ");
});

test("[LM11] verdicts are true, false or an error's text, under the names of conditions", () => {
  const { data } = commandOf("worker.admit");
  const verdicts = (value: unknown) =>
    problemOf(() => parseCommandData("worker.admit", { ...data, verdicts: value }));
  expect(verdicts({ a: true, b: false, c: "it threw" })).toBe("taken");
  expect(verdicts({ a: 1 })).toContain("worker.admit.verdicts.a must be true, false or the text");
  expect(verdicts({ "": true })).toContain("worker.admit.verdicts must be 1 to 64 letters");
  expect(verdicts(JSON.parse('{"__proto__":true}'))).toContain("must be 1 to 64 letters");
  const many = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`c${index}`, true]));
  expect(verdicts(many)).toContain("at most 64 verdicts");
});

test("[LM2] an id is looked up as it is; a new one has its form", () => {
  const { data } = commandOf("worker.admit");
  const admit = (instance: unknown) =>
    problemOf(() => parseCommandData("worker.admit", { ...data, instance }));
  expect(admit(idOf("q"))).toBe("taken");
  for (const wrong of ["w-short", `w-${"1".repeat(16)}`, `W-${"a".repeat(16)}`, `${idOf("q")}x`, 5])
    expect(admit(wrong)).toContain("a worker id");
});
