import { describe, expect, test } from "vitest";
import { REFUSAL_CODES } from "../../src/kernel/refusal.ts";
import { FAULT_CODES } from "../../src/ports/fault.ts";
import { COMMAND_KINDS, PROBLEMS, type ProblemCode } from "../../src/protocol/problem.ts";

/**
 * Codes that nothing built can give yet. Codes leave this list when a command gives them, with a
 * play for each; none ever enters it.
 */
const RESERVED: readonly ProblemCode[] = ["thaw_unsafe"];

/** Codes that neither the rules nor a port give. */
const EDGE_CODES = ["usage", "entry_unknown", "unproven", "interrupted", "bug"] as const;

const rows = Object.entries(PROBLEMS);

test("[PR1] every code of a refusal, a fault or an input has one row, and every row a code", () => {
  const codes = new Set([...REFUSAL_CODES, ...FAULT_CODES, ...EDGE_CODES]);
  expect(new Set(Object.keys(PROBLEMS))).toStrictEqual(codes);
  expect(rows).toHaveLength(codes.size);
});

test("[PR4] what is reserved is just this list, which only shrinks", () => {
  const reserved = rows.filter(([, row]) => row.reserved).map(([code]) => code);
  expect(reserved).toStrictEqual(RESERVED);
  expect(RESERVED.length).toBeLessThanOrEqual(4);
});

describe("[PR5] what a code is at the edges", () => {
  const exits: Readonly<Partial<Record<ProblemCode, number>>> = {
    usage: 2,
    limit_exceeded: 2,
    entry_unknown: 4,
    worker_unknown: 4,
    lease_unknown: 4,
    instance_unknown: 4,
    service_unknown: 4,
    token_unknown: 4,
    unproven: 6,
    interrupted: 130,
    bug: 1,
  };

  test.each(rows)("%s", (code, { kind, by, exit, http, mcp, commands, reserved, meaning }) => {
    const byKind = { input: 2, refusal: 3, fault: 5, outcome: -1 }[kind];
    expect(exit).toBe(exits[code as ProblemCode] ?? byKind);
    expect(http).toBeGreaterThanOrEqual(kind === "outcome" ? 200 : 400);
    expect(http).toBeLessThan(kind === "fault" || kind === "outcome" ? 600 : 500);
    // A refusal is an answer of the tool, not an error of the protocol.
    expect(mcp).toBe({ input: -32_602, refusal: null, fault: -32_603, outcome: null }[kind]);
    expect(meaning).toMatch(/^[A-Z].* .*\.$/);
    // What an edge refuses by itself may be about no single command.
    if (kind === "refusal" && by === "edge") return;
    const isAnswer = (kind === "refusal" && !reserved) || kind === "input";
    expect(commands.length > 0).toBe(isAnswer);
  });
});

test("[PR5] kinds of commands are named noun.verb, each once", () => {
  expect(new Set(COMMAND_KINDS).size).toBe(COMMAND_KINDS.length);
  for (const kind of COMMAND_KINDS) expect(kind).toMatch(/^[a-z]+\.[a-z_]+$/);
});
