import { expect, test } from "vitest";
import { LIMITS } from "../../src/kernel/limits.ts";
import {
  base32,
  commandIdSeries,
  freshCommandId,
  freshInstanceId,
} from "../../src/runtime/base32.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import {
  admit,
  begin,
  granted,
  idOf,
  KILL,
  note,
  OPERATOR,
  PAUSE,
  refused,
  RESUME,
  Rig,
  self,
  stop,
} from "./rig.ts";

test("[ID1] a command without an id gets a fresh one, of a series of its loop", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  for (const command of [PAUSE, RESUME, PAUSE]) await granted(loop.submit(command, OPERATOR));
  const ids = (await rig.entries()).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^c-[a-z2-7]{28}$/);
  // Eight letters of 40 bits: the loop's own; another loop has others.
  expect(new Set(ids.map((id) => id.slice(0, 10))).size).toBe(1);
  const next = commandIdSeries(seededRandom(1));
  const [first, second] = [next(), next()];
  expect(first.slice(0, 10)).toBe(second.slice(0, 10));
  expect(first.slice(-12)).not.toBe(second.slice(-12));
  expect(commandIdSeries(seededRandom(2))().slice(0, 10)).not.toBe(first.slice(0, 10));
  expect(freshInstanceId(seededRandom(1))).toMatch(/^w-[a-z2-7]{16}$/);
  expect(freshCommandId(seededRandom(1))).toBe(freshCommandId(seededRandom(1)));
  // The test vectors of RFC 4648, section 10.
  const encode = (text: string): string => base32(Buffer.from(text)).toUpperCase();
  expect(["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(encode)).toEqual([
    "",
    "MY",
    "MZXQ",
    "MZXW6",
    "MZXW6YQ",
    "MZXW6YTB",
    "MZXW6YTBOI",
  ]);
});

test("[ID2] the same command under the same id gets the first decision again", async () => {
  const rig = new Rig();
  const loop = await rig.found({ max_replicas: 1 });
  const id = "job-17";
  const first = await granted(loop.submit(admit("a"), OPERATOR, { id }));
  const entries = await rig.entries();
  expect(await loop.submit(admit("a"), OPERATOR, { id })).toEqual(first);
  // The order of keys, and where the actor comes from, make no other command.
  const { instance, ...data } = admit("a").data;
  const turned = { kind: "worker.admit", data: { ...data, instance } } as const;
  const elsewhere = { ...OPERATOR, via: "http", host: "h2" } as const;
  expect(await loop.submit(turned, elsewhere, { id })).toEqual(first);
  const no = await loop.submit(admit("b"), OPERATOR, { id: "job-18" });
  expect(no).toMatchObject({ ok: false, refusal: { code: "max_replicas" } });
  const again = await loop.submit(admit("b"), OPERATOR, { id: "job-18" });
  expect(again).toEqual(no);
  expect(await rig.entries()).toHaveLength(entries.length + 1);
  await loop.close();
});

test("[ID2] the first decision is answered by another loop too", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  const first = await granted(loop.submit(KILL, OPERATOR, { id: "k" }));
  await loop.close();
  const other = await rig.open();
  expect(await other.submit(KILL, OPERATOR, { id: "k" })).toEqual(first);
  await other.close();
});

test("[ID3] another command under the same id is refused, and not journaled", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  await granted(loop.submit(admit("a"), OPERATOR, { id: "one" }));
  const entries = await rig.entries();
  const others = [
    loop.submit(admit("b"), OPERATOR, { id: "one" }),
    loop.submit(PAUSE, OPERATOR, { id: "one" }),
    loop.submit(admit("a"), { ...OPERATOR, id: "bert" }, { id: "one" }),
    loop.submit(admit("a"), { kind: "supervisor", id: "anna", via: "library" }, { id: "one" }),
  ];
  for (const other of others) {
    const answer = await other;
    expect(answer.seq).toBe(loop.head().seq);
    expect(await refused(other)).toMatchObject({
      code: "command_mismatch",
      facts: { id: "one", first_kind: "worker.admit" },
    });
  }
  expect(await rig.entries()).toEqual(entries);
  await loop.close();
});

test("[ID4] two submissions under one id in the same turn are one command", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  const same = [1, 2, 3].map(() => loop.submit(admit("a"), OPERATOR, { id: "x" }));
  const other = loop.submit(admit("b"), OPERATOR, { id: "x" });
  const [first, ...again] = await Promise.all(same);
  for (const answer of again) expect(answer).toEqual(first);
  expect((await refused(other)).code).toBe("command_mismatch");
  expect(await rig.kinds()).toEqual(["fleet.created", "worker.admitted"]);
  await loop.close();
});

test("[ID4] two loops that submit under one id at once carry one command", async () => {
  const rig = new Rig();
  const one = await rig.found();
  const other = await rig.open();
  const answers = await Promise.all(
    [one, other].map((loop) => loop.submit(admit("a"), OPERATOR, { id: "x" })),
  );
  expect(answers[0]).toEqual(answers[1]);
  expect(await rig.kinds()).toEqual(["fleet.created", "worker.admitted"]);
  await Promise.all([one.close(), other.close()]);
});

test.each([
  [0, "fine"],
  [1, "command_expired"],
])(
  "[ID5] an id is remembered for a day of journal time (%i ms beyond: %s)",
  async (beyondMs, said) => {
    const rig = new Rig();
    const loop = await rig.found();
    const first = await granted(loop.submit(PAUSE, OPERATOR, { id: "p" }));
    await granted(loop.submit(RESUME, OPERATOR));
    rig.clock.advance(LIMITS.commandMemoryMs + beyondMs);
    const entries = await rig.entries();
    const again = await loop.submit(PAUSE, OPERATOR, { id: "p" });
    const age_ms = LIMITS.commandMemoryMs + beyondMs;
    const no = { ok: false, refusal: { code: said, facts: { id: "p", age_ms } } };
    expect(again).toMatchObject(said === "fine" ? first : no);
    expect(await rig.entries()).toEqual(entries);
    expect(loop.state().status).toBe("open");
    await loop.close();
  },
);

test("[ID6] an id is at most so long, and not empty", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  const longest = "i".repeat(LIMITS.commandIdCharsMax);
  for (const id of ["", `${longest}i`])
    expect(await refused(loop.submit(PAUSE, OPERATOR, { id }))).toMatchObject({
      code: "limit_exceeded",
      facts: { got: id.length },
    });
  await granted(loop.submit(PAUSE, OPERATOR, { id: longest }));
  await loop.close();
});

test("[ID7] what is found out about a command is no part of it", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  await begin(loop, "a");
  await granted(loop.submit(stop("a"), self("a")));
  const evidence = { grade: "settled", facts: {} } as const;
  const exit = {
    kind: "worker.exited",
    data: { worker: idOf("a"), evidence, outcome: {} },
  } as const;
  await granted(loop.submit(exit, { kind: "supervisor", via: "runtime" }));
  // Recorded with `ended`, which was looked up.
  const first = await granted(loop.submit(note("a"), OPERATOR, { id: "n" }));
  expect(first.entries[0]?.command).toMatchObject({ ended: idOf("a") });
  expect(await loop.submit(note("a"), OPERATOR, { id: "n" })).toEqual(first);
  await loop.close();
});
