import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { DEFAULT_CONTRACT } from "../../src/kernel/fleet/contract.ts";
import { INITIAL_STATE } from "../../src/kernel/state.ts";
import { Reaches } from "../../src/supervisor/reach.ts";
import { lookAtGround } from "../../src/system/ground/ground.ts";

let base = "";

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "stint-writable-")));
  const made = base;
  onTestFinished(() => rmSync(made, { recursive: true }));
});

/** Who says what workers of a fleet have, under a contract that names folders. */
function reachesOf(writable: readonly string[], dir: string): Reaches {
  const sandbox = { ...DEFAULT_CONTRACT.sandbox, writable };
  const state = { ...INITIAL_STATE, contract: { ...DEFAULT_CONTRACT, sandbox } };
  const store = { address: { kind: "sqlite", dir } } as const;
  return new Reaches({ lookAtGround, loop: { state: () => state }, store });
}

const asked = { cwd: "/", run: ["/bin/true"], env: {} } as const;
const operator = { kind: "operator" } as const;
const worker = { kind: "worker" } as const;

function writableOf(writable: readonly string[], dir: string, cwd = base): readonly string[] {
  return reachesOf(writable, dir).of("w-a", null, { ...asked, cwd, by: operator }).writable;
}

test("[SB53] a worker writes to the ground and to what the contract names", () => {
  const [repo, cache, linked] = [join(base, "repo"), join(base, "cache"), join(base, "linked")];
  mkdirSync(join(repo, ".stint"), { recursive: true });
  mkdirSync(cache);
  symlinkSync("cache", linked);
  const named = [linked, join(base, "not there"), `${cache}/../cache`];
  expect(writableOf(named, join(repo, ".stint"))).toEqual([repo, cache]);
});

test("[SB53] nothing is resolved that lies where workers write: it could lead anywhere", () => {
  const [repo, victim] = [join(base, "repo"), join(base, "victim")];
  mkdirSync(join(repo, ".stint"), { recursive: true });
  mkdirSync(victim);
  // What a worker may have put there.
  symlinkSync(victim, join(repo, "cache"));
  // What an operator may have.
  symlinkSync(join(repo, "cache"), join(base, "link"));
  const named = [join(repo, "cache"), join(base, "link"), `${repo}x`];
  expect(writableOf(named, join(repo, ".stint"))).toEqual([repo]);
});

test("[SB53] nor through another folder that the contract names, in whatever order", () => {
  const [repo, data] = [join(base, "repo"), join(base, "data")];
  mkdirSync(join(repo, ".stint"), { recursive: true });
  mkdirSync(data);
  mkdirSync(join(base, "victim"));
  symlinkSync(join(base, "victim"), join(data, "inner"));
  for (const named of [
    [data, join(data, "inner")],
    [join(data, "inner"), data],
  ])
    expect(writableOf(named, join(repo, ".stint"))).toEqual([repo, data]);
  symlinkSync("round", join(base, "round"));
  expect(writableOf([join(base, "round")], join(repo, ".stint"))).toEqual([repo]);
});

test("[SB53] where nobody says which the ground is, a child has what its parent has", () => {
  const [state, cwd] = [join(base, "state"), join(base, "work")];
  for (const path of [state, cwd]) mkdirSync(path);
  const reaches = reachesOf([], state);
  expect(reaches.of("w-a", null, { ...asked, cwd, by: operator }).writable).toEqual([cwd]);
  const child = { ...asked, cwd: "/etc", by: worker };
  expect(reaches.of("w-b", "w-a", child).writable).toEqual([cwd]);
  expect(reaches.of("w-c", "w-unknown", child).writable).toEqual([]);
});

test("[SB52] an operator's worker sees what it is started with, its child the same", () => {
  mkdirSync(join(base, ".stint"));
  const run = ["/tmp/b/tool", "x"] as const;
  const given = { cwd: "/tmp/a", run, env: { PATH: "/tmp/c:d:/usr/bin" } };
  const seen = ["/tmp/a", "/tmp/b/tool", "/tmp/c", "/usr/bin"];
  const reaches = reachesOf([], join(base, ".stint"));
  expect(reaches.of("w-a", null, { ...given, by: operator }).shown).toEqual(seen);
  const curious = { ...given, cwd: "/tmp/others", env: { PATH: "/tmp/theirs" }, by: worker };
  expect(reaches.of("w-b", "w-a", curious).shown).toEqual(seen);
  expect(reaches.of("w-c", "w-x", curious).shown).toEqual([]);
  reaches.forget("w-a");
  expect(reaches.of("w-d", "w-a", curious).shown).toEqual([]);
});

test("[GM20] where leases are enforced nothing of the ground is to be written to", () => {
  const [repo, cache] = [join(base, "repo"), join(base, "cache")];
  mkdirSync(join(repo, ".stint"), { recursive: true });
  mkdirSync(cache);
  const sandbox = {
    ...DEFAULT_CONTRACT.sandbox,
    writable: [cache, join(repo, "sub")],
    leases: "enforced",
  } as const;
  const state = { ...INITIAL_STATE, contract: { ...DEFAULT_CONTRACT, sandbox } };
  const store = { address: { kind: "sqlite", dir: join(repo, ".stint") } } as const;
  const seat = { lookAtGround, loop: { state: () => state }, store };
  const so = { ...asked, cwd: repo, by: operator };
  expect(new Reaches(seat, true).of("w-a", null, so)).toMatchObject({
    writable: [cache],
    ground: [repo],
  });
  // A sandbox that cannot is one whose degradation was accepted.
  expect(new Reaches(seat, false).of("w-a", null, so)).toMatchObject({ writable: [repo, cache] });
  const unknown = {
    ...seat,
    store: { address: { kind: "sqlite", dir: join(base, "state") } } as const,
  };
  expect(new Reaches(unknown, true).of("w-a", null, so)).toMatchObject({
    writable: [cache],
    ground: [],
  });
});

test("[GM48] what lets workers write above ground whose leases are enforced starts none", () => {
  const repo = join(base, "projects", "repo");
  mkdirSync(join(repo, ".stint"), { recursive: true });
  symlinkSync("projects", join(base, "linked"));
  const reachOf = (
    writable: readonly string[],
    leases: "guarded" | "enforced",
  ): (() => unknown) => {
    const sandbox = { ...DEFAULT_CONTRACT.sandbox, writable, leases };
    const state = { ...INITIAL_STATE, contract: { ...DEFAULT_CONTRACT, sandbox } };
    const store = { address: { kind: "sqlite", dir: join(repo, ".stint") } } as const;
    const reaches = new Reaches({ lookAtGround, loop: { state: () => state }, store }, true);
    return () => reaches.of("w-a", null, { ...asked, cwd: repo, by: operator });
  };
  for (const path of [repo, join(base, "projects"), base, "/", join(base, "linked")]) {
    const message: unknown = expect.stringContaining(`beside the ground of leases`);
    const got: unknown = expect.stringContaining(`got ${path}: nothing is run`);
    expect(reachOf([path], "enforced")).toThrow(
      expect.objectContaining({ code: "sandbox_failed", message }),
    );
    expect(reachOf([path], "enforced")).toThrow(expect.objectContaining({ message: got }));
    expect(reachOf([path], "guarded")).not.toThrow();
  }
  expect(reachOf([join(base, "proj"), join(repo, "sub")], "enforced")).not.toThrow();
});
