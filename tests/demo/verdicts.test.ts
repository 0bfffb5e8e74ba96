import { generateKeyPairSync, createHash, sign } from "node:crypto";
import { describe, expect, test } from "vitest";
import { isSignedBy } from "../../src/demo/outside/signature.ts";
import { CHECK_NAMES, Checklist } from "../../src/demo/stage/checklist.ts";
import { VERDICTS, type CheckName, type Sightings } from "../../src/demo/verdicts/verdicts.ts";

/** What is seen of a product that holds what it promises, and of products that do not. */
type Cases = {
  readonly [Name in CheckName]: {
    readonly right: Sightings[Name];
    /** What a product that is broken in one way shows instead, by that way. */
    readonly wrong: Readonly<Record<string, Partial<Sightings[Name]>>>;
    /** Others that are right, too. */
    readonly alsoRight?: readonly Partial<Sightings[Name]>[];
  };
};

const refusal = <Code extends string>(code: Code) => ({
  right: { seq: 5, code, live: 13, max: 13 },
  wrong: { "by another rule": { code: "lifetime" } },
});

const CASES: Cases = {
  supervised: {
    right: { saidPid: 7, startedPid: 7, sessionId: 7 },
    wrong: {
      "it serves in another process": { saidPid: 8, sessionId: 8 },
      "it is gone": { startedPid: undefined },
      "it is in its starter's session": { sessionId: 3 },
    },
  },
  contained: {
    right: {
      rung: "cgroup",
      pid: 9,
      sessionId: 9,
      supervisorSessionId: 7,
      namespace: "pid:[2]",
      ownNamespace: "pid:[1]",
      isGrouped: true,
      isGroupPromised: true,
    },
    wrong: {
      "in the host's namespace": { namespace: "pid:[1]" },
      "in no namespace that is to be seen": { namespace: undefined },
      "in the host's control groups": { isGrouped: false },
      "in the host's control groups, on namespaces": { rung: "pid-namespace", isGrouped: false },
      "in the supervisor's session": { sessionId: 7 },
      "in more than the lowest rung has": { rung: "process-group", isGroupPromised: true },
    },
    alsoRight: [
      { isGrouped: false, isGroupPromised: false },
      { rung: "process-group", namespace: "pid:[1]", isGrouped: false, isGroupPromised: false },
    ],
  },
  files: {
    right: { files: 8, lines: 80, unreadable: 0, listed: 8, closedFiles: 0, closedFolders: 0 },
    wrong: {
      "one is lost": { files: 7 },
      "one is counted twice": { files: 9 },
      "none at all": { files: 0, listed: 0 },
      "the workers may not read what the user may": { files: 7, unreadable: 1 },
      "the workers read what the user may not": { closedFiles: 1 },
    },
    alsoRight: [{ files: 7, unreadable: 1, closedFiles: 1, closedFolders: 1 }],
  },
  bytes: { right: { reported: 10, byStat: 10 }, wrong: { "one less": { reported: 9 } } },
  generations: {
    right: { counts: [3, 2] },
    wrong: { "no children": { counts: [0, 0] }, "no grandchildren": { counts: [3, 0] } },
  },
  stop_condition: refusal("stop_condition"),
  cooldown: refusal("cooldown"),
  max_depth: refusal("max_depth"),
  max_replicas: {
    ...refusal("max_replicas"),
    wrong: {
      "by another rule": { code: "cooldown" },
      "one above the bound": { live: 14 },
      "it does not say of how many": { live: undefined },
    },
  },
  refused: {
    right: { workerCount: 15, strangers: [], unseen: [], atOnceMax: 13, liveMax: 13, max: 13 },
    wrong: {
      "one ran that was refused": { strangers: ["w-1"] },
      "one too many had processes": { atOnceMax: 14 },
      "one too many was admitted": { liveMax: 14 },
      "one that lives has no process": { unseen: ["w-1"] },
      "nobody ever ran": { workerCount: 0 },
    },
  },
  stale: {
    right: {
      pid: 9,
      staledSeq: 4,
      silentMs: 1_600,
      recoveredSeq: 6,
      wasThere: true,
      isThere: true,
    },
    wrong: {
      "it was ended when it was stale": { wasThere: false },
      "another one recovers": { isThere: false },
      "it recovered before": { recoveredSeq: 3 },
    },
  },
  runaways: {
    right: {
      rung: "cgroup",
      fugitiveCount: 3,
      expectedCount: 3,
      isEnclosed: true,
      isTogether: true,
      isGrouped: true,
      isGroupPromised: true,
      tableCount: 6,
      killedCount: 6,
    },
    wrong: {
      "one is not found": { fugitiveCount: 2 },
      "the fleet has missed one": { killedCount: 2 },
      "they left the namespace": { isEnclosed: false },
      "they left the namespace of the rung below": { rung: "pid-namespace", isEnclosed: false },
      "they left the control groups": { isTogether: false },
      "these are the host's": { isGrouped: false },
    },
    alsoRight: [
      { rung: "pid-namespace", isGrouped: false, isGroupPromised: false },
      { rung: "process-group", isEnclosed: false, isTogether: false, isGroupPromised: false },
    ],
  },
  caught: {
    right: { beforeCount: 6, leftCount: 0, stoppedCount: 1, grade: "observed" },
    wrong: {
      "one got away": { leftCount: 1 },
      "nothing was there": { beforeCount: 0 },
      "nobody was stopped": { stoppedCount: 0 },
    },
  },
  frozen: {
    right: { still: { ticks: 9, bytes: 90 }, later: { ticks: 9, bytes: 90 }, stillMs: 1_200 },
    wrong: {
      "it computes": { later: { ticks: 10, bytes: 90 } },
      "it writes": { later: { ticks: 9, bytes: 91 } },
      "it was ended": { still: { ticks: 0, bytes: 90 }, later: { ticks: 0, bytes: 90 } },
    },
  },
  thawed: {
    right: { since: { ticks: 9, bytes: 90 }, now: { ticks: 11, bytes: 91 } },
    wrong: {
      "it does not compute": { now: { ticks: 10, bytes: 91 } },
      "it does not write": { now: { ticks: 11, bytes: 90 } },
    },
  },
  died: {
    right: {
      beforeCount: 3,
      leftCount: 0,
      signal: "SIGKILL",
      exitCode: null,
      grade: "observed",
      seq: 8,
    },
    wrong: {
      "it never ran": { beforeCount: 0 },
      "something of it is left": { leftCount: 1 },
      "it left in peace": { signal: null, exitCode: 0 },
    },
    alsoRight: [{ signal: null, exitCode: 137 }],
  },
  hanging: {
    right: { pid: 9, isGone: true, reason: "silent", grade: "observed", seq: 8 },
    wrong: { "it runs on": { isGone: false }, "it was asked to": { reason: "requested" } },
  },
  turns: {
    right: {
      first: "w-1",
      second: "w-2",
      witness: "clone/README.md",
      file: "clone/README.md",
      holder: "w-1",
      grantedSeq: 5,
      refusedSeq: 6,
      releasedSeq: 8,
      grantedAgainSeq: 9,
    },
    wrong: {
      "both have it at once": { grantedAgainSeq: 7 },
      "it was never given back": { releasedSeq: 0 },
      "the other never gets it": { grantedAgainSeq: 0 },
      "nobody was refused while it was held": { refusedSeq: 4 },
      "one alone wants it": { second: "w-1" },
      "the refusal names another holder": { holder: "w-3" },
      "the refusal names another file": { witness: "clone/LICENSE" },
      "the refusal names none": { witness: undefined },
    },
  },
  stale_fence: {
    right: {
      staleFence: 5,
      exit: 3,
      code: "not_writable",
      reason: "fence_stale",
      fence: 9,
      exitOfHolder: 0,
    },
    wrong: {
      "it is let write": { exit: 0, code: undefined, reason: undefined },
      "it is refused for another reason": { reason: "held_by_other" },
      "the call fails": { exit: 5, code: "storage_failed" },
      "nobody may write": { exitOfHolder: 3 },
      "fences do not grow": { fence: 5 },
    },
  },
  survival: {
    right: {
      file: "README.md",
      isClone: true,
      edits: [
        { name: "a", isInFile: true, changes: [{ file: "README.md", lines: 1 }] },
        { name: "b", isInFile: true, changes: [{ file: "README.md", lines: 1 }] },
      ],
    },
    wrong: {
      "one is overwritten": {
        edits: [
          { name: "a", isInFile: false, changes: [{ file: "README.md", lines: 1 }] },
          { name: "b", isInFile: true, changes: [{ file: "README.md", lines: 0 }] },
        ],
      },
      "one was never committed": {
        edits: [
          { name: "a", isInFile: true, changes: [] },
          { name: "b", isInFile: true, changes: [{ file: "README.md", lines: 2 }] },
        ],
      },
      "a commit took another file along": {
        edits: [
          { name: "a", isInFile: true, changes: [{ file: "README.md", lines: 1 }] },
          {
            name: "b",
            isInFile: true,
            changes: [
              { file: "README.md", lines: 1 },
              { file: "LICENSE", lines: 1 },
            ],
          },
        ],
      },
      "one alone edited": { edits: [{ name: "a", isInFile: true, changes: null }] },
    },
    alsoRight: [
      {
        isClone: false,
        edits: [
          { name: "a", isInFile: true, changes: null },
          { name: "b", isInFile: true, changes: null },
        ],
      },
    ],
  },
  never_both: {
    right: { grantCount: 3, things: ["a", "b"], clashes: [], unread: [], entryCount: 90 },
    wrong: {
      "one was held twice": { clashes: ["a by l-1 and l-2"] },
      "a pattern that it cannot read": { unread: ["*"] },
      "nothing was wanted twice": { grantCount: 2 },
    },
  },
  killed: {
    right: { beforeCount: 30, leftCount: 0, everCount: 50 },
    wrong: { "one is left": { leftCount: 1 }, "there was nothing": { beforeCount: 0 } },
  },
  receipt: {
    right: {
      rung: "cgroup",
      isProven: true,
      stoppedCount: 2,
      survivorCount: 0,
      sweptCount: 0,
      why: [],
      listed: ["w-1", "w-2"],
      running: ["w-2", "w-1"],
      ended: ["w-1", "w-2"],
    },
    wrong: {
      "one that ran is not in it": { listed: ["w-1"] },
      "one is in it that never ran": { listed: ["w-1", "w-2", "w-3"] },
      "another is in it": { listed: ["w-1", "w-3"] },
      "it counts one more than ended": { stoppedCount: 3 },
      "it counts one that lives": { ended: ["w-1"] },
      "it counts a survivor": { survivorCount: 1 },
      "it counts nobody": { stoppedCount: 0, listed: [], running: [], ended: [] },
      "it proves nothing where it could": { isProven: false },
      "it proves where it cannot": { rung: "process-group", sweptCount: 2 },
      "it swept fewer than it stopped": { rung: "process-group", isProven: false, sweptCount: 1 },
    },
    alsoRight: [{ rung: "process-group", isProven: false, sweptCount: 2 }],
  },
  signed: {
    right: { keyId: "k", isRecorded: true, isValid: true, isValidForOther: false },
    wrong: {
      "another one is on record": { isRecorded: false },
      "the signature does not hold": { isValid: false },
      "it holds for anything": { isValidForOther: true },
    },
  },
  late: {
    right: { code: "fleet_killed" },
    wrong: { "it is let in": { code: "admitted" }, "for another reason": { code: "paused" } },
  },
  late_process: {
    right: { exit: 3, code: "fleet_killed", processCount: 0 },
    wrong: {
      "it is let in": { exit: 0, code: undefined },
      "another exit": { exit: 1 },
      "for another reason": { code: "max_replicas" },
      "it runs all the same": { processCount: 1 },
    },
  },
  verified: {
    right: { exit: 0, isKeyTrusted: true, entryCount: 90, anchorSeq: 89 },
    wrong: {
      "it does not verify": { exit: 5 },
      "by another's key": { isKeyTrusted: false },
      "never signed": { anchorSeq: undefined },
      "it says nothing": { entryCount: undefined },
    },
  },
  replayed: {
    right: {
      isSound: true,
      isReplayed: true,
      isStateSigned: true,
      entryCount: 90,
      entryCountElsewhere: 90,
      stateHash: "ab",
      problems: [],
    },
    wrong: {
      "it is not sound": { isSound: false },
      "it decides otherwise": { isReplayed: false },
      "another state was signed": { isStateSigned: false },
      "another journal elsewhere": { entryCountElsewhere: 89 },
    },
  },
  gone: {
    right: {
      call: "`stint down` exits with 0",
      supervisorPid: 7,
      isSupervisorGone: true,
      leftCount: 0,
      socketCount: 0,
    },
    wrong: {
      "the supervisor stays": { isSupervisorGone: false },
      "a process stays": { leftCount: 1 },
      "a socket stays": { socketCount: 1 },
    },
  },
};

describe("what was seen decides", () => {
  test.each(CHECK_NAMES)(
    "[DM1] %s passes by what a sound product shows, and by no other",
    (name) => {
      const verdict = VERDICTS[name] as (seen: object) => { readonly isSeen: boolean };
      const { right, wrong, alsoRight = [] } = CASES[name];
      for (const seen of [{}, ...alsoRight])
        expect({ seen, isSeen: verdict({ ...right, ...seen }).isSeen }).toEqual({
          seen,
          isSeen: true,
        });
      expect(Object.keys(wrong)).not.toEqual([]);
      for (const [how, seen] of Object.entries(wrong))
        expect({ how, isSeen: verdict({ ...right, ...(seen as object) }).isSeen }).toEqual({
          how,
          isSeen: false,
        });
    },
  );

  test("[DM1] the list passes only when all of it was seen, and nothing is taken back", () => {
    const told: string[] = [];
    const checklist = new Checklist(({ name, isSeen }) =>
      told.push(`${name} ${isSeen ? "seen" : "missed"}`),
    );
    const judge = (name: CheckName): void => checklist.judge(name, CASES[name].right);
    for (const name of CHECK_NAMES.slice(1)) judge(name);
    expect(checklist.isPassed).toBe(false);
    expect(checklist.checks[0]).toMatchObject({ isSeen: false, detail: "not reached" });
    checklist.giveUp(["supervised", "bytes"], "the world ended");
    judge("supervised");
    expect(checklist.isPassed).toBe(false);
    expect(checklist.checks[0]).toMatchObject({ isSeen: false, detail: "the world ended" });
    expect(told).toHaveLength(CHECK_NAMES.length);
    expect(told.at(-1)).toBe("supervised missed");
  });

  test("the holding that is told is the one there is: no groups that are the host's", () => {
    const { right } = CASES.runaways;
    const lowly = { rung: "pid-namespace", isGrouped: false, isGroupPromised: false } as const;
    expect(VERDICTS.runaways(right).details[0]).toContain("and its control groups");
    expect(VERDICTS.runaways({ ...right, ...lowly }).details[0]).not.toContain("control groups");
  });

  test("[DM1] a receipt is signed by one key, as it is, with its list of workers", () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const { x = "" } = publicKey.export({ format: "jwk" });
    const workers = [{ grade: "observed", id: "w-1" }];
    const workersHash = createHash("sha256").update(JSON.stringify(workers)).digest("hex");
    // In the order of its keys, as the canonical form has it.
    const statement = { b_count: 1, workers_hash: workersHash };
    const signature = sign(null, Buffer.from(JSON.stringify(statement)), privateKey);
    const receipt = { workers, signature: signature.toString("base64url"), ...statement };
    const other = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" }).x ?? "";
    expect(isSignedBy(receipt, x)).toBe(true);
    expect(isSignedBy(receipt, other)).toBe(false);
    expect(isSignedBy(receipt, "")).toBe(false);
    expect(isSignedBy({ ...receipt, b_count: 2 }, x)).toBe(false);
    expect(isSignedBy({ ...receipt, workers: [] }, x)).toBe(false);
    expect(isSignedBy({}, x)).toBe(false);
  });
});
