import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { builtBin, type Called } from "../support/cli.ts";
import { acquire, makeGround, type Ground } from "./ground.ts";

beforeAll(async () => void (await builtBin()), 120_000);

const LANES = `
[lanes.api]
paths = ["src/api/**"]
aliases = ["http"]

[lanes.web]
paths = ["src/web/**"]

[lanes.tests]
paths = ["tests/**"]
slots = 2

[lanes.release]
paths = ["CHANGELOG.md"]
alone = true
`;

const laned = (): Promise<Ground> => makeGround({ config: LANES });

const asked = (ground: Ground, ...words: readonly string[]): Promise<Called> =>
  ground.call(["lease", ...words, "--json"]);

/** The ids of the live leases. */
async function liveIds(ground: Ground): Promise<readonly string[]> {
  const { leases } = (await ground.done(["lease", "ls", "--json"])).json().data;
  return leases.map(({ lease_id }: { readonly lease_id: string }) => lease_id);
}

describe("lease acquire", () => {
  test("[GV1] a region is granted, with all that its holder needs", async () => {
    const ground = await makeGround();
    const words = ["--region", "src/**", "docs/a.md", "--exclude", "src/gen/**", "--ttl", "90s"];
    const before = Date.now();
    const granted = await acquire(ground, "ann", ...words, "--run-id", "r1");
    expect(granted).toMatchObject({
      lease_id: expect.stringMatching(/^l-\d+$/),
      fence: expect.any(Number),
      token: expect.stringMatching(/^[a-z2-7]{52}$/),
      holder: "ann",
      holder_kind: "outside",
      mode: "exclusive",
      lane: null,
      region: ["docs/a.md", "src/**", "!src/gen/**"],
      ttl_ms: 90_000,
      run_id: "r1",
      is_new: true,
      passed_over: [],
    });
    expect(granted.expires_at_ms - before).toBeGreaterThanOrEqual(89_000);
    expect(granted.fence).toBe(Number(granted.lease_id.slice(2)));
    const told = await ground.call(["lease", "acquire", "--region", "b", "--holder", "bob"]);
    expect(told.stdout).toMatch(/^l-\d+ granted: b, exclusive, until .+Z \(5m\)\ntoken [a-z2-7]+;/);
  });

  test("[GV1] what the holder has already is the answer again, with its token", async () => {
    const ground = await laned();
    const first = await acquire(ground, "ann", "--region", "src/**");
    const again = await acquire(ground, "ann", "--region", "src/**");
    const { lease_id, token, fence } = first;
    expect(again).toMatchObject({ lease_id, token, fence, is_new: false });
    const keyed = await acquire(ground, "ann", "--any", "tests,web", "--key", "k");
    const kept = await acquire(ground, "ann", "--lane", "tests", "--key", "k");
    expect(kept).toMatchObject({ lease_id: keyed.lease_id, token: keyed.token, is_new: false });
    const other = await asked(ground, "acquire", "--lane", "api", "--holder", "ann", "--key", "k");
    expect(other.json()).toMatchObject({ refusal: { code: "command_mismatch" } });
    expect(await liveIds(ground)).toHaveLength(2);
  });

  test("[GV2] a conflict names the lease in the way and a witness, also one's own", async () => {
    const ground = await makeGround();
    const { lease_id, expires_at_ms } = await acquire(ground, "ann", "--region", "src/**");
    const words = ["acquire", "--region", "*/a.ts", "--holder"];
    const refused = await asked(ground, ...words, "bob");
    expect(refused.exit).toBe(3);
    const facts = { witness: "src/a.ts", lease_id, holder: "ann", expires_at_ms, own: false };
    expect(refused.json()).toMatchObject({
      ok: false,
      seq: expect.any(Number),
      refusal: { code: "conflict", facts: { ...facts, mode: "exclusive" } },
    });
    const own = (await asked(ground, ...words, "ann")).json();
    expect(own).toMatchObject({ refusal: { code: "conflict", facts: { ...facts, own: true } } });
    const person = await ground.call(["lease", ...words, "bob"]);
    const until = /"ann" holds "src\/a.ts" .* until 20\d\d-\d\d-\d\d .+Z \(in \dm.*\)\n`--wait/;
    expect(person.stderr).toMatch(until);
    const held = ["--region", "b/**", "--also-held", "b/x", "--holder", "bob"];
    expect((await asked(ground, "acquire", ...held)).json()).toMatchObject({
      refusal: { code: "conflict", facts: { also_held: ["b/x"], witness: "b/x" } },
    });
    const shared = await acquire(ground, "bob", "--region", "lib/**", "--shared");
    const reader = await acquire(ground, "eve", "--region", "lib/a", "--shared");
    expect([shared.mode, reader.mode]).toEqual(["shared", "shared"]);
    expect(await liveIds(ground)).toHaveLength(3);
  });

  test("[GV3] no lane is taken for another (leases H27) (leases H29) (leases H48)", async () => {
    const ground = await laned();
    const typos = { apy: "api", API: "api", wwb: "web", deployment: undefined };
    for (const [typed, nearest] of Object.entries(typos))
      for (const words of [
        ["--lane", typed],
        ["--any", `web,${typed}`],
      ]) {
        const refused = await asked(ground, "acquire", ...words, "--holder", "ann");
        expect(refused.exit).toBe(3);
        const { code, facts } = refused.json().refusal;
        const said = { code, lane: facts.lane, nearest: facts.nearest };
        expect(said).toEqual({ code: "lane_unknown", lane: typed, nearest });
      }
    expect(await liveIds(ground)).toEqual([]);
  });

  test("[GV3] an alias means its lane; what was asked for is held (leases H50)", async () => {
    const ground = await laned();
    const aliased = await acquire(ground, "ann", "--lane", "http");
    expect(aliased).toMatchObject({ lane: "api", region: ["src/api/**"] });
    // A region stays a region, also where it is that of a lane.
    const region = await acquire(ground, "bob", "--region", "src/web/**");
    expect(region).toMatchObject({ lane: null, region: ["src/web/**"] });
    const busy = await asked(ground, "acquire", "--lane", "web", "--holder", "eve");
    const { code, facts } = busy.json().refusal;
    expect({ code, holder: facts.holder }).toEqual({ code: "conflict", holder: "bob" });
    expect(await liveIds(ground)).toHaveLength(2);
  });

  test("[GV3] --any takes the first that can be had, and says why (leases H49)", async () => {
    const ground = await laned();
    await acquire(ground, "ann", "--lane", "api");
    const words = ["lease", "acquire", "--any", "api, web,tests", "--holder", "bob"];
    const { data } = (await ground.done([...words, "--json"])).json();
    expect(data).toMatchObject({
      lane: "web",
      passed_over: [{ lane: "api", code: "conflict", facts: { holder: "ann" } }],
    });
    const told = await ground.call(["lease", "acquire", "--any", "api,tests", "--holder", "eve"]);
    expect(told.stdout).toMatch(/^passed over api: conflict\nl-\d+ granted: lane tests, slot,/);
    const none = await asked(ground, "acquire", "--any", "api,web", "--holder", "eve");
    expect(none.json().refusal).toMatchObject({
      code: "conflict",
      facts: { holder: "bob", tried: [{ lane: "api" }, { lane: "web" }] },
    });
  });

  test("[GV3] slots are as many as the lane has, and a lane that is alone is", async () => {
    const ground = await laned();
    for (const name of ["ann", "bob"])
      expect(await acquire(ground, name, "--lane", "tests")).toMatchObject({ mode: "slot" });
    const full = await asked(ground, "acquire", "--lane", "tests", "--holder", "eve");
    expect(full.json().refusal).toMatchObject({
      code: "slots_full",
      facts: { lane: "tests", slots: 2, held: 2, next_expires_at_ms: expect.any(Number) },
    });
    const alone = await asked(ground, "acquire", "--lane", "release", "--holder", "eve");
    expect(alone.json().refusal).toMatchObject({ code: "conflict", facts: { alone: true } });
    const slot = await asked(ground, "acquire", "--lane", "api", "--slot", "--holder", "eve");
    expect(slot.json().refusal).toMatchObject({ code: "region_invalid", facts: { field: "mode" } });
  });

  test("[GV4] a holder's name is any text, exactly (leases H28) (leases H34)", async () => {
    const ground = await makeGround();
    const names = ["ci job ", "ann\nl-1 bob", "ann\u2028bob", '"\u001b[31m\\'];
    for (const [at, name] of names.entries()) {
      const region = ["--region", `r${at}`];
      const { lease_id: id, holder, token } = await acquire(ground, name, ...region);
      expect(holder).toBe(name);
      const other = `${name}x`;
      const wrong = await asked(ground, "renew", id, "--holder", other, "--token", token);
      const facts = { lease_id: id, holder: name };
      expect(wrong.json()).toMatchObject({ refusal: { code: "holder_mismatch", facts } });
      const conflict = await asked(ground, "acquire", ...region, "--holder", other);
      expect(conflict.json().refusal.facts).toMatchObject({ holder: name, own: false });
      await ground.done(["lease", "renew", id, "--holder", name, "--token", token]);
    }
    // One line for each lease, whatever its holder is called.
    const { stdout } = await ground.done(["lease", "ls"]);
    expect(stdout.trimEnd().split("\n")).toHaveLength(names.length + 1);
    // oxlint-disable-next-line no-control-regex -- controls are what must not be there
    expect(stdout).not.toMatch(/[\u0000-\u0009\u001b\u2028]/);
  });
});

describe("lease renew and release", () => {
  test("[GV5] a token is shown by file, environment or option, for an id or a lane", async () => {
    const ground = await laned();
    const { lease_id, token, expires_at_ms } = await acquire(ground, "ann", "--lane", "api");
    const file = join(ground.dir, "token");
    writeFileSync(file, `${token}\n`);
    const ways: readonly (readonly [readonly string[], Readonly<Record<string, string>>])[] = [
      [["--token-file", "token"], {}],
      [[], { STINT_LEASE_TOKEN: token }],
      [[], { STINT_LEASE_TOKEN_FILE: file }],
      [["--token", token, "--holder", "ann"], { STINT_LEASE_TOKEN: "another" }],
    ];
    for (const [words, env] of ways)
      for (const which of [[lease_id], ["--lane", "api"], ["--lane", "http"]]) {
        const line = ["lease", "renew", ...which, ...words, "--json"];
        expect((await ground.done(line, { env })).json().data).toMatchObject({ lease_id });
      }
    const longer = ["lease", "renew", lease_id, "--token", token, "--ttl", "1h", "--json"];
    const { data } = (await ground.done(longer)).json();
    expect(data.expires_at_ms - expires_at_ms).toBeGreaterThan(3_000_000);
    const released = await ground.done(["lease", "release", "--lane", "api", "--token", token]);
    expect(released.stdout).toBe(`${lease_id} is released\n`);
    const again = await asked(ground, "release", lease_id, "--token", token);
    expect(again).toMatchObject({ exit: 3 });
    expect(again.json()).toMatchObject({ refusal: { code: "lease_ended" } });
    const nobody = await asked(ground, "release", "--lane", "api", "--token", token);
    expect(nobody).toMatchObject({ exit: 4 });
    expect(nobody.json()).toMatchObject({ refusal: { code: "lease_unknown" } });
  });

  test("[GV5] without the token, or with another, a lease is nobody's to act on", async () => {
    const ground = await laned();
    const ann = await acquire(ground, "ann", "--lane", "api");
    const bob = await acquire(ground, "bob", "--lane", "web");
    const id = ann.lease_id;
    const lines = ["renew", "release", "narrow --region src/api/a"].flatMap((verb) =>
      ["", "--holder ann", `--token ${bob.token}`, `--token ${ann.token} --holder bob`].map(
        (how) => `${verb} ${how}`,
      ),
    );
    for (const line of lines) {
      const [verb = "", ...words] = line.split(" ").filter((word) => word !== "");
      const refused = await asked(ground, verb, id, ...words);
      expect(refused.exit).toBe(3);
      expect(refused.json().refusal).toMatchObject({
        code: "holder_mismatch",
        facts: { lease_id: id, holder: "ann" },
      });
    }
    const slots = ["--lane", "tests"];
    for (const name of ["ann", "bob"]) await acquire(ground, name, ...slots);
    const several = await asked(ground, "release", ...slots);
    expect(several).toMatchObject({ exit: 2 });
    expect(several.json().error.message).toMatch(/--lane must be a lane of which one lease is/);
    expect(await liveIds(ground)).toHaveLength(4);
  });
});

describe("what cannot be understood", () => {
  const many = Array.from({ length: 10_000 }, (_, at) => `p${at}`);

  const LINES: Readonly<Record<string, readonly (readonly [line: string, says: string])[]>> = {
    usage: [
      ["acquire --holder ann", "the ground must be named by --lane, --any or --region"],
      ["acquire --holder ann --lane a --region b", "got --lane and --region"],
      ["acquire --region a", "--holder must be who is to hold the lease, got nothing"],
      ["acquire --holder ann --lane a --exclude b", "--exclude must be absent unless"],
      ["acquire --holder ann --region a --ttl 0s", '--ttl must be "1s" to "24h", got "0s"'],
      ["acquire --holder ann --region a --ttl 999ms", '--ttl must be "1s" to "24h"'],
      ["acquire --holder ann --region a --ttl -5m", "--ttl must be a duration"],
      ["acquire --holder ann --region a --ttl NaN", "--ttl must be a duration"],
      ["acquire --holder ann --region a --ttl 3650d", '--ttl must be "1s" to "24h"'],
      ["acquire --holder ann --region a --shared --slot", "the mode must be one of"],
      ["acquire --holder ann --region a --slot", "--slot must be absent"],
      ["acquire --holder ann --region a --leases [1]", "unknown option '--leases'"],
      ["acquire --holder ann --any a,,b", "--any must be a text"],
      ["renew", "the lease must be named by ID or by --lane, one of them, got nothing"],
      ["renew l-3 --lane api", "one of them, got both"],
      ["renew [1]", 'ID must be a lease id ("l-" and a number), got "[1]"'],
      ["release l-3 --token a --token-file b", "--token must be absent"],
      ["release l-3 --token-file none", "--token-file must be a file that can be read"],
      ["renew l-3 --fence 0", "--fence must be an integer from 1 on"],
      ["revoke l-3", "required option '--reason <text>' not specified"],
      ["check a", "--holder must be who would write"],
      ["with --region a --holder ann", "missing required argument 'command'"],
    ],
    region_invalid: [
      ["acquire --holder ann --region a//b", "must have no empty segment"],
      ["acquire --holder ann --region a --exclude **", "must have"],
      ["acquire --holder ann --region a\u0007b", "must have"],
      ["acquire --holder ann --region a --also-held b//c", "counts as held"],
    ],
    region_too_large: [[`acquire --holder ann --region ${"{a,b}".repeat(11)}`, "at most 256"]],
    limit_exceeded: [
      [`acquire --holder ${"x".repeat(257)} --region a`, "at most 256 bytes"],
      [`acquire --holder ann --region a --key ${"k".repeat(257)}`, "at most 256"],
      [`acquire --holder ann --region ${many.join(" ")}`, "256 patterns, got 10000"],
      [`check ${many.join(" ")} x --holder ann`, "at most 10000, got 10001"],
    ],
    lease_unknown: [
      ["renew l-999 --token t", "none has the id l-999"],
      ["show l-999", "none ever had the id l-999"],
    ],
  };
  const EXITS: Readonly<Record<string, number>> = { usage: 2, limit_exceeded: 2, lease_unknown: 4 };

  test.each(Object.entries(LINES))(
    "[GV6] is said, as %s, and changes nothing (leases H42)",
    async (code, lines) => {
      const ground = await makeGround();
      await acquire(ground, "eve", "--region", "held");
      const before = await liveIds(ground);
      for (const [line, says] of lines) {
        const called = await asked(ground, ...line.split(" "));
        const { ok, error, refusal } = called.json();
        const said = error ?? refusal;
        expect({ line, ok, code: said.code }).toEqual({ line, ok: false, code });
        expect(said.message).toContain(says);
        expect(called).toMatchObject({ exit: EXITS[code] ?? 3, stderr: "" });
      }
      expect(await liveIds(ground)).toEqual(before);
    },
  );

  test("[GV6] an empty text is no pattern and no holder", async () => {
    const ground = await makeGround();
    const called = await asked(ground, "acquire", "--holder", "ann", "--region", "");
    expect(called.json()).toMatchObject({ error: { code: "usage" } });
    const holder = await asked(ground, "acquire", "--holder", "", "--region", "a");
    expect(holder.json().error.message).toBe('--holder must be a text that is not empty, got ""');
  });
});

test("[GV7] a call in a fresh folder writes nothing there (leases H55)", async () => {
  const ground = await makeGround();
  const folder = join(ground.dir, "deep/er");
  mkdirSync(folder, { recursive: true });
  const called = await ground.done(
    ["lease", "acquire", "--region", "a", "--holder", "ann", "--json"],
    { cwd: folder },
  );
  expect(called.json()).toMatchObject({ ok: true });
  for (const name of [".stint", ".dos", "stint.toml"])
    expect(existsSync(join(folder, name))).toBe(false);
});
