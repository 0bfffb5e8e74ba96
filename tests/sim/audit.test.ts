// The checks themselves: each must see what it is there to see. The entries are real, written by a
// loop into a journal, and then changed.
import { beforeAll, describe, expect, test } from "vitest";
import { checkAnswer } from "../../sim/audit/answers.ts";
import { Auditor } from "../../sim/audit/auditor.ts";
import { checkLoopState, checkReplay } from "../../sim/audit/replay.ts";
import { ServiceLedger } from "../../sim/audit/roster/ledger.ts";
import { World } from "../../sim/world/world.ts";
import { memoryJournal } from "../../src/journal/memory.ts";
import type { Actor } from "../../src/kernel/actor.ts";
import type { Command } from "../../src/kernel/command.ts";
import type { Entry } from "../../src/kernel/entry.ts";
import { DEFAULT_CONTRACT } from "../../src/kernel/fleet/contract.ts";
import { GENESIS, type Journal } from "../../src/ports/journal.ts";
import type { Answer } from "../../src/runtime/loop.ts";
import { openLoop } from "../../src/runtime/open-loop.ts";
import { openSigner } from "../../src/signing/signer.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { rulesBrokenBy } from "./broken-rules.ts";

const signer = openSigner("a secret of the simulator's tests");
const operator: Actor = { kind: "operator", id: "ada", via: "cli" };
const first = "w-aaaaaaaaaaaaaaaa";
const second = "w-bbbbbbbbbbbbbbbb";

/** A real journal: two roots admitted, one registered and stopped, a refusal, a kill. */
interface Recorded {
  readonly journal: Journal;
  readonly entries: readonly Entry[];
  readonly answers: readonly { readonly command: Command; readonly answer: Answer }[];
}

let real: Recorded;

beforeAll(async () => {
  real = await record();
});

async function record(): Promise<Recorded> {
  const journal = memoryJournal({ clock: new FakeClock() });
  const loop = await openLoop({ journal, signer, random: seededRandom(1) });
  const answers: { command: Command; answer: Answer }[] = [];
  const ask = async (command: Command): Promise<void> => {
    answers.push({ command, answer: await loop.submit(command, operator) });
  };
  const contract = { ...DEFAULT_CONTRACT, max_replicas: 2 };
  await ask({ kind: "fleet.create", data: { fleet: "f", name: "n", contract, key: signer.key } });
  await ask(admission(first));
  await ask(admission(second));
  const entry = answers[1]?.answer.ok === true ? answers[1].answer.entries[0] : undefined;
  if (entry?.kind !== "worker.admitted") throw new Error("the first admission must be granted");
  const { manifest } = entry.data;
  await ask({ kind: "worker.register", data: { manifest, envelope: "valid" } });
  await ask(admission("w-cccccccccccccccc"));
  const evidence = { grade: "observed", facts: {} } as const;
  const exit = { worker: first, evidence, outcome: { exit_code: 0 } };
  await ask({ kind: "worker.exited", data: exit });
  await ask({ kind: "fleet.kill", data: { reason: "drill" } });
  await loop.close();
  return { journal, answers, entries: await journal.read(GENESIS, 100) };
}

function admission(instance: string): Command {
  const data = { instance, name: "n", parent: null, reason: "r", state: {}, budget: {} };
  return { kind: "worker.admit", data };
}

/** The recorded entries, those of a kind changed. */
function changed(kind: Entry["kind"], change: (entry: Entry) => object): readonly Entry[] {
  return real.entries.map((entry) =>
    entry.kind === kind ? Object.assign({ ...entry }, change(entry)) : entry,
  );
}

function ofKind(kind: Entry["kind"]): Entry {
  const entry = real.entries.find((one) => one.kind === kind);
  if (entry === undefined) throw new Error(`there must be an entry ${kind}`);
  return entry;
}

describe("entries", () => {
  test("[SM2] a journal as a loop wrote it breaks no rule", () => {
    expect(rulesBrokenBy(real.entries)).toStrictEqual([]);
  });

  test("[SM2] an admission after the kill is seen", () => {
    const late = { ...ofKind("worker.admitted"), id: "late" };
    expect(rulesBrokenBy([...real.entries, late])).toContain("I3");
  });

  test("[SM2] more workers than the contract allows are seen (replication H4)", () => {
    const contract = { ...DEFAULT_CONTRACT, max_replicas: 1 };
    const tighter = changed("fleet.created", ({ data }) => ({ data: { ...data, contract } }));
    expect(rulesBrokenBy(tighter)).toContain("I4");
  });

  test("[SM2] a depth that is not the journal's is seen", () => {
    const deeper = changed("worker.admitted", ({ data }) => ({
      data: { ...data, manifest: { ...("manifest" in data ? data.manifest : {}), depth: 1 } },
    }));
    expect(rulesBrokenBy(deeper)).toContain("I6");
  });

  test("[SM2] an expired right that is used, and time that falls, are seen", () => {
    const late = changed("worker.registered", ({ at_ms }) => ({ at_ms: at_ms + 10 ** 9 }));
    expect(rulesBrokenBy(late)).toContain("I8");
    expect(rulesBrokenBy(late)).toContain("I11");
  });

  test("[SM2] a worker that is carried out for another is seen", () => {
    const actor = { kind: "worker", id: second, via: "socket" };
    expect(rulesBrokenBy(changed("worker.registered", () => ({ actor })))).toContain("I9");
  });

  test("[SM2] an end without a grade, and one after the end, are seen", () => {
    const evidence = { grade: "rumoured", facts: {} };
    const vague = changed("worker.stopped", ({ data }) => ({ data: { ...data, evidence } }));
    expect(rulesBrokenBy(vague)).toContain("I10");
    const again = { ...ofKind("worker.stopped"), id: "again" };
    expect(rulesBrokenBy([...real.entries, again])).toContain("I10");
  });

  test("[SM2] a command that is decided twice, and a refusal without facts, are seen", () => {
    const again = ofKind("command.refused");
    expect(rulesBrokenBy([...real.entries, again])).toContain("SM2");
    const bare = changed("command.refused", ({ data }) => ({ data: { ...data, facts: {} } }));
    expect(rulesBrokenBy(bare)).toContain("SM2");
  });

  test("[SM2] whom a request reaches is judged by what was asked before a lapse, too", () => {
    const data = { name: "n", instance: first, action: "stop", ttl_ms: 1000 };
    const asked: object = { command: { kind: "control.request", data } };
    const told: object = { command: null, kind: "control.requested" };
    const running = new Map([first, second].map((id) => [id, "n"]));
    const judged = (workers: readonly string[]): readonly string[] => {
      const reached: object = { data: { name: "n", action: "stop", instances: [], workers } };
      const books = new ServiceLedger();
      const lapse: Entry = Object.assign({ ...ofKind("worker.stopped") }, asked);
      const entry: Entry = Object.assign({ ...lapse }, told, reached);
      return [...books.check(lapse, running), ...books.check(entry, running)];
    };
    expect(judged([first])).toStrictEqual([]);
    expect(judged([first, second])).toHaveLength(1);
  });

  test("[SM2] a gap and a broken link are seen", () => {
    const auditor = new Auditor();
    auditor.see(real.entries.filter(({ seq }) => seq !== 2));
    expect(auditor.violations.map(({ rule }) => rule)).toContain("SM2");
  });
});

describe("replay", () => {
  test("[SM3] a journal at rest replays to the state that was followed", async () => {
    expect(await replayed(real.journal)).toStrictEqual([]);
    expect((await real.journal.snapshots()).length).toBeGreaterThan(0);
  });

  test("[SM3] a stored byte that was changed is seen", async () => {
    const stored = await real.journal.readStored(0, 100);
    const readStored = async (after: number): Promise<typeof stored> =>
      stored
        .slice(after)
        .map((one) => ({ ...one, text: one.text.replace('"reason":"r"', '"reason":"s"') }));
    expect(await replayed(doctored(real.journal, { readStored }))).toContain("SM3");
  });

  test("[SM3] a snapshot that is not the fold is seen, when saved and when replayed", async () => {
    const [snapshot] = await real.journal.snapshots();
    if (snapshot === undefined) throw new Error("closing a loop must leave a snapshot");
    const state = snapshot.state.replace('"total_count":2', '"total_count":1');
    const snapshots = async (): Promise<readonly (typeof snapshot)[]> => [{ ...snapshot, state }];
    expect(await replayed(doctored(real.journal, { snapshots }))).toContain("SM3");
    const auditor = audited();
    auditor.seeSnapshot(snapshot);
    expect(auditor.violations).toStrictEqual([]);
    auditor.seeSnapshot({ ...snapshot, state });
    expect(auditor.violations.map(({ rule }) => rule)).toStrictEqual(["SM3"]);
  });

  test("[SM3] a loop with another state is seen", () => {
    const auditor = audited();
    checkLoopState(auditor.state, "p1", auditor);
    expect(auditor.violations).toStrictEqual([]);
    checkLoopState({ ...auditor.state, total_count: 1 }, "p1", auditor);
    expect(auditor.violations.map(({ rule }) => rule)).toStrictEqual(["SM3"]);
  });

  test("[SM3] a decision that the rules would take otherwise is seen", async () => {
    const read = async (after: { readonly seq: number }): Promise<readonly Entry[]> =>
      changed("fleet.killed", ({ data }) => ({ data: { ...data, reason: "whim" } })).slice(
        after.seq,
      );
    expect(await replayed(doctored(real.journal, { read }))).toContain("I7");
  });
});

function audited(): Auditor {
  const auditor = new Auditor();
  auditor.see(real.entries);
  return auditor;
}

async function replayed(journal: Journal): Promise<readonly string[]> {
  const auditor = audited();
  await checkReplay(journal, auditor);
  return auditor.violations.map(({ rule }) => rule);
}

/** The journal, with some of its answers changed. */
function doctored(journal: Journal, changes: Partial<Journal>): Journal {
  return new Proxy(journal, {
    get(target, key) {
      if (Object.hasOwn(changes, key)) return Reflect.get(changes, key) as unknown;
      const value = Reflect.get(target, key) as unknown;
      // Methods of the journal look at private fields of their own object.
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

describe("answers", () => {
  test("[SM4] what a loop answered is what its journal holds", () => {
    const auditor = audited();
    for (const { command, answer } of real.answers)
      checkAnswer(auditor, { id: null, command, actor: operator }, answer);
    expect(auditor.violations).toStrictEqual([]);
  });

  test("[SM4] an acknowledgement of what is not in the journal is seen", () => {
    const { command, answer } = granted();
    const entries = answer.entries.map((entry) => ({ ...entry, hash: "0".repeat(64) }));
    expect(broken(command, { ...answer, entries })).toStrictEqual(["SM4"]);
    expect(broken(command, answer, "another-id")).toStrictEqual(["SM4"]);
    expect(broken(admission(second), answer)).toStrictEqual(["SM4"]);
    const { id } = ofKind("worker.admitted");
    expect(broken(command, { ...answer, entries: [] }, id)).toStrictEqual(["SM4"]);
  });

  test("[SM4] a refusal that the journal does not hold is seen", () => {
    const { command, answer } = granted();
    const { seq } = answer;
    const no = (code: "max_total" | "rate_limited" | "command_mismatch" | "command_expired") =>
      ({ ok: false, seq, refusal: { code, message: "so it is", facts: { a: 1 } } }) as const;
    for (const code of [
      "max_total",
      "rate_limited",
      "command_mismatch",
      "command_expired",
    ] as const)
      expect([code, ...broken(command, no(code))]).toStrictEqual([code, "SM4"]);
    const bare = { ...no("max_total"), refusal: { ...no("max_total").refusal, facts: {} } };
    expect(broken(command, bare)).toStrictEqual(["SM4"]);
  });
});

function granted(): { readonly command: Command; readonly answer: Answer & { ok: true } } {
  const { command, answer } = real.answers[1] ?? {};
  if (command === undefined || answer?.ok !== true) throw new Error("the second must be granted");
  return { command, answer };
}

function broken(command: Command, answer: Answer, id: string | null = null): readonly string[] {
  const auditor = audited();
  checkAnswer(auditor, { id, command, actor: operator }, answer);
  return auditor.violations.map(({ rule }) => rule);
}

describe("loops", () => {
  const tick: Command = { kind: "clock.tick", data: {} };

  test("[SM5] a submission that is never answered is seen", async () => {
    const world = await openWorld();
    const [process] = world.open;
    if (process === undefined) throw new Error("a process must be open");
    world.submit(process, { command: tick, actor: operator, id: null });
    await world.scheduler.settle();
    world.scheduler.drop(process.name);
    await world.comeToRest();
    expect(world.auditor.violations.map(({ rule }) => rule)).toStrictEqual(["SM5"]);
  });

  test("[SM5] an answer that is a bug is seen", async () => {
    const world = await openWorld();
    const [process] = world.open;
    if (process === undefined) throw new Error("a process must be open");
    const command = { kind: "clock.tick", data: { not: () => "json" } } as unknown as Command;
    world.submit(process, { command, actor: operator, id: null });
    await world.comeToRest();
    expect(world.auditor.violations.map(({ rule }) => rule)).toStrictEqual(["SM5"]);
  });
});

async function openWorld(): Promise<World> {
  const world = new World({ seed: 1, fault: null, signers: [signer] });
  world.weather.calm();
  world.start();
  await world.comeToRest();
  return world;
}
