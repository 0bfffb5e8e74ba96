import { beforeAll, expect, test } from "vitest";
import { openSqliteJournal } from "../../../src/journal/sqlite/open.ts";
import { RULES } from "../../../src/kernel/entry.ts";
import { systemClock } from "../../../src/system/clock.ts";
import { builtBin } from "../../support/cli.ts";
import { makeSite, recordLife, type Site } from "../recorded.ts";

beforeAll(async () => void (await builtBin()), 120_000);

/** Writes a pause that nobody would have refused, as if it had been refused by some rules. */
async function forge(site: Site, rules: number): Promise<number> {
  const journal = await openSqliteJournal({
    folder: site.stateDir,
    clock: systemClock(),
    create: false,
  });
  const head = await journal.head();
  const [entry] = await journal.read({ seq: 0, hash: "0".repeat(64) }, 1);
  const actor = { kind: "operator", via: "cli" } as const;
  const command = { kind: "fleet.pause", data: { reason: "x" } } as const;
  const data = { code: "not_authorised", message: "no", facts: {} } as const;
  const draft = {
    fleet: entry?.fleet ?? "",
    rules,
    id: `forged-${rules}`,
    actor,
    command,
    event: { kind: "command.refused", data } as const,
  };
  await journal.append(head, () => [draft]);
  await journal.close();
  return head.seq + 1;
}

test("[RP6] `journal replay` decides everything again, and writes nothing", async () => {
  const site = makeSite();
  const { refusedSeq } = await recordLife(site);
  const told = await site.call(["journal", "replay", "--json"]);
  expect(told.exit).toBe(0);
  const { data } = told.json();
  const head = (await site.call(["journal", "tail", "-n", "0", "--json"])).json().data.head_seq;
  expect(data).toMatchObject({
    from_seq: 1,
    until_seq: head,
    different_count: 0,
    otherwise_count: 0,
    rules: [{ rules: RULES, is_current: true, different_count: 0 }],
    differences: [],
  });
  expect(data.rules[0].same_count).toBe(data.rules[0].decision_count);
  const part = await site.call([
    "journal",
    "replay",
    "--from",
    String(refusedSeq),
    "--until",
    String(refusedSeq),
    "--json",
  ]);
  expect(part.json().data).toMatchObject({
    from_seq: refusedSeq,
    until_seq: refusedSeq,
    rules: [{ decision_count: 1 }],
  });
  const shown = await site.call(["journal", "replay"]);
  const [folded, decided, ...rest] = shown.stdout.split("\n");
  expect(folded).toMatch(/^Entries 1 to \d+ folded; the state's hash is [0-9a-f]{16}…$/);
  expect(decided).toMatch(/^Rules 1, those of this version: \d+ decisions, all the same decided/);
  expect(rest).toEqual([""]);
});

test("[RP6] a part without an entry is no part: nothing is found to be well", async () => {
  const site = makeSite();
  const { refusedSeq } = await recordLife(site);
  const head = (await site.call(["journal", "tail", "-n", "0", "--json"])).json().data.head_seq;
  const wrong = async (...span: readonly string[]): Promise<string> => {
    const told = await site.call(["journal", "replay", ...span]);
    expect(told).toMatchObject({ exit: 2, stdout: "" });
    return told.stderr;
  };
  expect(await wrong("--from", String(head + 1))).toContain(
    `--from must be an entry up to ${head}, the last that is asked about, got ${head + 1}`,
  );
  const before = String(refusedSeq - 1);
  expect(await wrong("--from", String(refusedSeq), "--until", before)).toContain(
    `--from must be an entry up to ${before}, the last that is asked about, got ${refusedSeq}`,
  );
});

test("[RP7] a difference to these very rules exits with 5, one to others does not", async () => {
  const site = makeSite();
  await recordLife(site);
  const older = await forge(site, 0);
  const told = await site.call(["journal", "replay", "--json"]);
  expect(told.exit).toBe(0);
  expect(told.json().data).toMatchObject({
    different_count: 0,
    otherwise_count: 1,
    rules: [{ rules: 0, is_current: false, same_count: 0, different_count: 1 }, { rules: RULES }],
    differences: [
      {
        seq: older,
        rules: 0,
        command: "fleet.pause",
        recorded: ["command.refused"],
        decided: ["fleet.paused"],
      },
    ],
  });
  const seq = await forge(site, RULES);
  const broken = await site.call(["journal", "replay", "--json"]);
  expect(broken.exit).toBe(5);
  expect(broken.json().data).toMatchObject({ different_count: 1, otherwise_count: 1 });
  expect(broken.json().data.differences.map((one: { readonly seq: number }) => one.seq)).toEqual([
    older,
    seq,
  ]);
  const shown = await site.call(["journal", "replay", "-n", "1"]);
  expect(shown.exit).toBe(5);
  expect(shown.stdout).toContain("Rules 0: 1 decision, 1 would be decided otherwise today.");
  expect(shown.stdout).toContain("1 come out otherwise: the record is not theirs.");
  expect(shown.stdout).toContain("… and 1 more (-n shows more)");
  // Verifying says the same of these rules, and passes the others over.
  const verified = await site.call(["journal", "verify", "--json"]);
  expect(verified.json().data.redecided_seqs).toEqual([seq]);
});

test("[RP6] it reads beside whoever writes, and finds every decision whole", async () => {
  const site = makeSite();
  const fleet = await site.open({ refusalsPerMinute: 100_000 });
  const over = new AbortController();
  const writing = (async () => {
    for (let turn = 0; !over.signal.aborted; turn += 1) {
      const lease = await fleet.acquire({ holder: "ann", region: `a/${turn}` });
      await fleet.tryAcquire({ holder: "bob", region: "a/**" });
      await lease.release();
    }
  })();
  try {
    for (let call = 0; call < 3; call += 1) {
      const replayed = await site.call(["journal", "replay", "--json"]);
      expect(replayed.exit).toBe(0);
      expect(replayed.json().data).toMatchObject({ different_count: 0, otherwise_count: 0 });
      const found = await site.call(["why", "a/0", "--json"]);
      expect(found.json().data.events.at(-1)).toMatchObject({ kind: "lease.granted" });
    }
  } finally {
    over.abort();
    await writing;
  }
});
