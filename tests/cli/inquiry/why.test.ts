import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { openSqliteJournal } from "../../../src/journal/sqlite/open.ts";
import { systemClock } from "../../../src/system/clock.ts";
import { builtBin } from "../../support/cli.ts";
import { acquire, makeGround } from "../ground.ts";
import { makeSite } from "../recorded.ts";

beforeAll(async () => void (await builtBin()), 120_000);

const LANES = `
[lanes.api]
paths = ["src/api/**"]
`;

test("[PY4] `why` says who may write a path, and who was refused there by whom", async () => {
  const ground = await makeGround({ config: LANES });
  const ann = await acquire(ground, "ann", "--lane", "api");
  await ground.call(["lease", "acquire", "--region", "src/**", "--holder", "bob"]);
  await ground.done(["lease", "acquire", "--region", "docs/**", "--holder", "bob"]);
  const head = (await ground.done(["journal", "tail", "-n", "1", "--json"])).lines().at(-1);
  const told = await ground.done(["why", "src/api/users.ts", "--json"]);
  const { data } = told.json();
  expect(data).toMatchObject({
    path: "src/api/users.ts",
    resolved: "src/api/users.ts",
    writable_by: "holders",
    leases: [{ lease_id: ann.lease_id, holder: "ann", may_write: true, fence: ann.fence }],
    lanes: [{ name: "api" }],
    refusals: [{ holder: "bob", code: "conflict", by_lease: ann.lease_id, by_holder: "ann" }],
    events: [{ kind: "lease.granted", lease_id: ann.lease_id }],
    searched_from_seq: 1,
  });
  expect(JSON.stringify(data)).not.toContain(ann.token);
  const shown = (await ground.done(["why", "src/api/users.ts"])).stdout;
  expect(shown).toMatch(
    /^src\/api\/users\.ts may be written by who holds it:\nLEASE .*\nl-\d+ +ann +yes/,
  );
  expect(shown).toMatch(/\nIn lane api\.\n/);
  expect(shown).toMatch(/\nRefused:\n[^\n]*\n *\d+ .* bob +lease\.acquire +conflict +l-\d+ +ann/);
  expect(shown).toMatch(/\nHappened:\n[^\n]*\n *\d+ .* a lease of lane "api" was given to "ann"/);
  const free = (await ground.done(["why", "etc"])).stdout;
  expect(free).toBe(
    "etc may be written by anybody: it is leased by nobody.\n" +
      "Nothing happened on it from entry 1 on.\n",
  );
  const since = await ground.done([
    "why",
    "src/api",
    "--since",
    String(head.data.head_seq),
    "--json",
  ]);
  expect(since.json().data).toMatchObject({ refusals: [], events: [] });
  // Nothing of it is on record.
  const after = (await ground.done(["journal", "tail", "-n", "1", "--json"])).lines().at(-1);
  expect(after.data.head_seq).toBe(head.data.head_seq);
});

test("[PY1] of a folder it is told who holds what lies below it", async () => {
  const ground = await makeGround();
  mkdirSync(join(ground.dir, "src/api"), { recursive: true });
  const ada = await acquire(ground, "ada", "--region", "src/api/**");
  const id = await ground.spawn("beats");
  const typed = ["lease", "acquire", "--region", "src/web/**", "--holder", id, "--json"];
  const own = (await ground.done(typed)).json().data;
  const told = (await ground.done(["why", "src", "--json"])).json().data;
  expect(told).toMatchObject({ writable_by: "anybody", leases: [] });
  const below = [
    { lease_id: ada.lease_id, holder: "ada", is_worker: false, region: ["src/api/**"] },
    { lease_id: own.lease_id, holder: id, is_worker: true, region: ["src/web/**"] },
  ];
  expect(told.below).toHaveLength(2);
  expect(told.below).toMatchObject(below);
  const shown = (await ground.done(["why", "src"])).stdout;
  expect(shown).toContain(
    "src may be written by anybody: it is leased by nobody.\n" +
      `Below it: ${ada.lease_id} of ada (src/api/**), ` +
      `${own.lease_id} of ${id} (beats) (src/web/**)\n`,
  );
  // The same ones as those of a check.
  const check = await ground.done(["lease", "check", "src", "--holder", "bob", "--json"]);
  expect(check.json().data.paths[0].below).toEqual([ada.lease_id, own.lease_id]);
  expect((await ground.done(["why", "src/api/x", "--json"])).json().data.below).toEqual([]);
});

test("[PY5] a path that looks like a pattern is said to be none", async () => {
  const ground = await makeGround();
  mkdirSync(join(ground.dir, "src"), { recursive: true });
  writeFileSync(join(ground.dir, "src/[id].ts"), "");
  const noted = async (...words: readonly string[]): Promise<string> =>
    (await ground.done(words)).stderr;
  const note = 'stint: PATH is a path, not a pattern; nothing is called "src/**"\n';
  expect(await noted("why", "src/**")).toBe(note);
  expect(await noted("why", "src/[id].ts")).toBe("");
  expect(await noted("why", "src/new.ts")).toBe("");
  expect(await noted("why", "port:80*")).toBe(
    'stint: PATH is a path, not a pattern; "port:80*" is taken as it is written\n',
  );
  expect(await noted("why", "src/**", "--json")).toBe("");
  const check = ["lease", "check", "--holder", "ann"];
  expect(await noted(...check, "src/**", "src", "src/[id].ts")).toBe(note);
});

test("[PY5] a path is found as `lease check` finds it", async () => {
  const ground = await makeGround();
  mkdirSync(join(ground.dir, "src/api"), { recursive: true });
  writeFileSync(join(ground.dir, "src/api/real.ts"), "");
  symlinkSync("src/api/real.ts", join(ground.dir, "link.ts"));
  await acquire(ground, "ann", "--region", "src/api/**", "port:80*");
  const resolved = async (path: string, cwd = ground.dir): Promise<unknown> =>
    (await ground.done(["why", path, "--json"], { cwd })).json().data.resolved;
  expect(await resolved("link.ts")).toBe("src/api/real.ts");
  expect(await resolved("real.ts", join(ground.dir, "src/api"))).toBe("src/api/real.ts");
  expect(await resolved("../api/new.ts", join(ground.dir, "src/api"))).toBe("src/api/new.ts");
  expect(await resolved("port:8080")).toBe("port:8080");
  expect(await resolved("/etc/passwd")).toBe(null);
  const outside = await ground.done(["why", "/etc/passwd"]);
  expect(outside.stdout).toBe(
    "/etc/passwd is no file of the fleet's ground: no lease speaks for it.\n",
  );
  const port = await ground.done(["why", "port:8080", "--json"]);
  expect(port.json().data.leases).toMatchObject([{ holder: "ann" }]);
});

test("[PY4] where no fleet was begun there is none to ask", async () => {
  const site = makeSite();
  const clock = systemClock();
  await (await openSqliteJournal({ folder: site.stateDir, clock })).close();
  const told = await site.call(["why", "a", "--json"]);
  expect(told.exit).toBe(3);
  expect(told.json()).toMatchObject({ ok: false, refusal: { code: "fleet_unknown" } });
});

test("[PY4] what cannot be asked is told", async () => {
  const ground = await makeGround();
  expect(await ground.call(["why", ""])).toMatchObject({ exit: 2 });
  expect(await ground.call(["why", "a", "-n", "x"])).toMatchObject({ exit: 2 });
  expect(await ground.call(["why"])).toMatchObject({ exit: 2 });
  const asWorker = await ground.call(["why", "a"], {
    env: { STINT_WORKER_TOKEN_FILE: "/nowhere" },
  });
  expect(asWorker).toMatchObject({ exit: 3 });
});
