import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PROBLEMS, type ProblemCode } from "../../../src/protocol/problem.ts";
import type { Elsewhere } from "./scenario.ts";
import { ADMISSION } from "./tables/admission.ts";
import { FLEET } from "./tables/fleet.ts";
import { HOST } from "./tables/host.ts";
import { INPUT } from "./tables/input.ts";
import { JOURNAL } from "./tables/journal.ts";
import { LEASE } from "./tables/lease.ts";
import { MANIFEST } from "./tables/manifest.ts";
import { QUEUE } from "./tables/queue.ts";
import { STORE } from "./tables/store.ts";
import { WORKER } from "./tables/worker.ts";

/** Only what no command can bring about, as long as Stint itself is whole. */
const ELSEWHERE: Readonly<Partial<Record<ProblemCode, Elsewhere>>> = {
  bug: {
    why: "an invariant that a call could break would be one that is not held",
    file: "cli/frame.test.ts",
    test: "[CL6] a bug is one line and exit 1",
  },
  closed: {
    why: "no verb uses what it has closed; programs that open a fleet by the library can",
    file: "library/closing.test.ts",
    test: "[LB91] %s of a handle that is closed is the fault `closed`",
  },
  roster_invalid: {
    why: "what is wrong with a roster in a file is found, with its line, before it is enacted",
    file: "library/roster.test.ts",
    test: "[RO10] what the rules say no to is thrown as refused",
  },
  instance_unknown: {
    why: "no verb asks something of a service yet",
    file: "library/roster.test.ts",
    test: "[CQ1] through an open fleet nobody of a name is instance_unknown",
  },
  service_unknown: {
    why: "a verb that starts services notes what came of it for names of the roster alone",
    file: "library/roster.test.ts",
    test: "[CQ3] through an open fleet a name that the roster lacks is service_unknown",
  },
  token_unknown: {
    why: "no verb names a token yet",
    file: "library/roster.test.ts",
    test: "[AT9] what has ended is told from what never was",
  },
  token_ended: {
    why: "no verb names a token yet",
    file: "library/roster.test.ts",
    test: "[AT9] what has ended is told from what never was",
  },
  token_taken: {
    why: "ids and secrets of tokens are random, and nobody types them",
    file: "library/roster.test.ts",
    test: "[AT9] what has ended is told from what never was",
  },
  tokens_full: {
    why: "a thousand calls of the program would be one test",
    file: "kernel/access/token.test.ts",
    test: "[AT3] so many live at most; those that have expired do not count",
  },
  condition_unmet: {
    why: "only a supervisor trips a condition, on what it has measured itself",
    file: "kernel/watch/trip.test.ts",
    test: "a condition that was replaced is not in force any more",
  },
};

const TABLES = [ADMISSION, MANIFEST, WORKER, LEASE, QUEUE, FLEET, INPUT, JOURNAL, STORE, HOST];

describe("[CV36] the codes that are brought about through the built program", () => {
  test("are all that something can give, each once", () => {
    const given = Object.entries(PROBLEMS).filter(([, { reserved }]) => !reserved);
    const played = [...TABLES, ELSEWHERE].flatMap((table) => Object.keys(table));
    expect(played.toSorted()).toEqual(given.map(([code]) => code).toSorted());
  });

  test.each(Object.entries(ELSEWHERE))("but for %s, which has a test elsewhere", (_, so) => {
    const text = readFileSync(join(import.meta.dirname, "../..", so.file), "utf8");
    expect(text).toContain(`("${so.test}"`);
  });
});
