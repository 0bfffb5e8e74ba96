import { describe, expect, test } from "vitest";
import { parseCommandData } from "../../src/protocol/command.ts";
import { InputError } from "../../src/protocol/input.ts";
import { BODIES } from "../support/commands.ts";

function problemOf(kind: "token.issue" | "roll.observe" | "control.request", data: object): string {
  try {
    parseCommandData(kind, data);
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  return "";
}

describe("[AT8] what a role does not have is refused with its field", () => {
  const body = BODIES["token.issue"];
  test.each([
    [{ role: "service" }, "token.issue.service must be the one service that it is for"],
    [{ role: "worker" }, "token.issue.worker must be the one worker that it is for"],
    [{ service: "api" }, 'token.issue.service must be absent for the role "viewer", got "api"'],
    [
      { role: "service", service: "api", worker: "w-1" },
      'token.issue.worker must be absent for the role "service"',
    ],
    [
      { role: "service", service: "api", once: true },
      'token.issue.once must be absent for the role "service"',
    ],
    [{ once: true, lifetime_ms: 60_001 }, "an integer from 1000 to 60000, for once, got 60001"],
    [{ lifetime_ms: 999 }, "token.issue.lifetime_ms must be an integer from 1000"],
    [{ token: "t-1" }, "token.issue.token must be a token id"],
    [{ role: "root" }, 'token.issue.role must be one of "viewer", "operator"'],
  ])("%j", (so, found) => {
    expect(problemOf("token.issue", { ...body, ...so })).toContain(found);
  });

  test("what it has is taken", () => {
    for (const so of [
      {},
      { role: "operator", once: true, lifetime_ms: 60_000 },
      { role: "service", service: "api" },
      { role: "worker", worker: "w-1" },
    ])
      expect(parseCommandData("token.issue", { ...body, ...so })).toEqual({ ...body, ...so });
  });
});

test("[RO3] what a supervisor heard is of 1 to 256 instances, with no instants in it", () => {
  const [seen] = BODIES["roll.observe"].sightings;
  const observe = (sightings: unknown): string => problemOf("roll.observe", { sightings });
  expect(observe([])).toContain("must be an array of 1 to 256 sightings");
  expect(observe(Array.from({ length: 257 }, () => seen))).toContain("1 to 256 sightings");
  expect(observe(Array.from({ length: 256 }, () => seen))).toBe("");
  expect(observe([{ ...seen, name: "a/b" }])).toContain('1 to 64 letters, digits, "_" or "-"');
  expect(observe([{ ...seen, sent_at_ms: 1 }])).toContain("sent_at_ms must be absent");
  expect(observe([{ ...seen, silent_ms: 1.5 }])).toContain("silent_ms must be an integer");
});

test("[CQ1] what is asked of a name is small, and good for a second to an hour", () => {
  const body = BODIES["control.request"];
  const ask = (so: object): string => problemOf("control.request", { ...body, ...so });
  expect(ask({ name: "v1.2", data: { a: "x".repeat(4_000) } })).toBe("");
  expect(ask({ data: { a: "x".repeat(4_096) } })).toContain("4096 bytes");
  expect(ask({ ttl_ms: 999 })).toContain("ttl_ms must be an integer from 1000 to 3600000");
  expect(ask({ action: "two words" })).toContain("action must be 1 to 64 letters");
});
