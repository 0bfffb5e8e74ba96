import type { Refused } from "stint";
import { describe, expect, test } from "vitest";
import { Fault } from "../../../src/ports/fault.ts";
import { rejectionOf, ROOMY } from "../rig.ts";
import { bound, commit, MINUTE, openScene } from "./rig.ts";

const SPINNING = "spinning: no_progress";
const PROGRESS = "advancing: progress";

/** Longer than any lease that a test lets live. */
const LONG = 20 * 60 * MINUTE;

describe("[LQ1] own progress is what a holder does; beats and renewals are none", () => {
  test("reported units, and not that nothing was reported", async () => {
    const scene = await openScene();
    const id = await scene.work("one");
    await scene.pass(40 * MINUTE);
    expect(await scene.told(id)).toBe(SPINNING);
    await scene.fleet.charge(id, { units: { tokens: 0 }, cpuMs: 100 });
    await scene.fleet.note(id, "still at it");
    expect(await scene.told(id)).toBe(SPINNING);
    await scene.fleet.charge(id, { units: { tokens: 3 } });
    expect(await scene.told(id)).toBe(PROGRESS);
    const { progress } = await scene.view(id);
    expect(progress).toMatchObject({ kind: "units", what: "tokens 3" });
    await scene.pass(15 * MINUTE - 1);
    expect(await scene.told(id)).toBe(PROGRESS);
    await scene.pass(1);
    expect(await scene.told(id)).toBe(SPINNING);
    expect((await scene.view(id)).progressAgeMs).toBe(15 * MINUTE);
  });

  test("another recorded state, and not the same once more", async () => {
    const scene = await openScene();
    const id = await scene.work("one");
    const record = (state: object): Promise<unknown> =>
      scene.fleet.submit({ kind: "worker.checkpoint", data: { worker: id, state } });
    await record({ at: 1 });
    await scene.pass(40 * MINUTE);
    await record({ at: 1 });
    expect(await scene.told(id)).toBe(SPINNING);
    await record({ at: 2 });
    expect(await scene.told(id)).toBe(PROGRESS);
  });

  test("its leases: another grant, a release, a narrowing; no renewal, nor the first", async () => {
    const scene = await openScene();
    const { fleet } = scene;
    const ttlMs = LONG;
    const first = await fleet.acquire({ holder: "ada", region: "src/**", ttlMs });
    await scene.pass(40 * MINUTE);
    await first.renew();
    expect(await scene.told("ada")).toBe(SPINNING);
    const second = await fleet.acquire({ holder: "ada", region: "docs/**", ttlMs });
    expect(await scene.told("ada")).toBe(PROGRESS);
    await scene.pass(40 * MINUTE);
    expect(await scene.told("ada")).toBe(SPINNING);
    await first.narrow("src/api/**");
    expect((await scene.view("ada")).progress?.kind).toBe("lease_narrowed");
    await scene.pass(40 * MINUTE);
    expect(await scene.told("ada")).toBe(SPINNING);
    await second.release();
    expect((await scene.view("ada")).progress?.kind).toBe("lease_released");
    expect(await scene.told("ada")).toBe(PROGRESS);
  });

  test("a worker that gives a lease back and asks for another gets somewhere", async () => {
    const scene = await openScene();
    const { fleet } = scene;
    const id = await scene.work("one");
    const holder = `worker:${id}`;
    const first = await fleet.acquire({ holder, region: "src/**", ttlMs: LONG });
    await scene.pass(40 * MINUTE);
    // Young no more, and the grant at its beginning is none.
    expect(await scene.told(id)).toBe(SPINNING);
    await first.release();
    expect(await scene.told(id)).toBe(PROGRESS);
    await scene.pass(14 * MINUTE);
    await fleet.acquire({ holder, region: "src/**", ttlMs: LONG });
    await scene.pass(14 * MINUTE);
    expect((await scene.view(id)).progress?.kind).toBe("lease_granted");
  });

  test("who lends a part, and who hands over", async () => {
    const scene = await openScene();
    const { fleet } = scene;
    const mother = await scene.work("mother");
    const lease = await fleet.acquire({
      holder: `worker:${mother}`,
      region: "src/**",
      ttlMs: LONG,
    });
    await scene.pass(40 * MINUTE);
    expect(await scene.told(mother)).toBe(SPINNING);
    const other = await scene.work("other");
    await lease.handOver({ to: `worker:${other}` });
    expect((await scene.view(mother)).progress?.kind).toBe("lease_handed_over");
    await scene.pass(40 * MINUTE);
    expect(await scene.told(other)).toBe(SPINNING);
  });
});

describe("[LQ2] commits count that touch ground to write, since the holder has it", () => {
  test("what is committed elsewhere, before, or in the future is none", async () => {
    const scene = await openScene();
    const { fleet, clock } = scene;
    const grantedMs = clock.wallMs;
    await fleet.acquire({ holder: "ada", region: "src/api/**", ttlMs: LONG });
    await scene.pass(40 * MINUTE);
    const nowMs = clock.wallMs;
    const told = async (...commits: ReturnType<typeof commit>[]): Promise<string> => {
      scene.commits = commits;
      return scene.told("ada");
    };
    expect(await told(commit(nowMs, "docs/a.md"))).toBe(SPINNING);
    expect(await told(commit(grantedMs - 1, "src/api/a.ts"))).toBe(SPINNING);
    expect(await told(commit(nowMs + 1_000, "src/api/a.ts"))).toBe(SPINNING);
    expect((await scene.view("ada")).commits).toMatchObject({ count: 0, futureCount: 1 });
    expect(await told(commit(nowMs, "src/api/a.ts"))).toBe(PROGRESS);
    expect((await scene.view("ada")).progress).toMatchObject({
      kind: "commit",
      what: "0ab1c2d src/api/a.ts",
      seq: null,
    });
    expect((await scene.view("ada")).commits).toMatchObject({ known: true, count: 1 });
  });

  test("what only a neighbour's refs have is the neighbour's", async () => {
    const scene = await openScene();
    const { fleet, clock } = scene;
    const [one, other] = [await scene.work("one"), await scene.work("other")];
    await fleet.acquire({ holder: `worker:${one}`, region: "src/**", ttlMs: LONG });
    await scene.pass(40 * MINUTE);
    scene.commits = [commit(clock.wallMs, "src/a.ts", `refs/stint/${other}/main`)];
    expect(await scene.told(one)).toBe(SPINNING);
    scene.commits = [commit(clock.wallMs, "src/a.ts", `refs/stint/${one}/main`)];
    expect(await scene.told(one)).toBe(PROGRESS);
  });

  test("of a slot beside others', and of what it may only read, none but its own", async () => {
    const scene = await openScene();
    const { fleet, clock } = scene;
    await fleet.enactGround({ lanes: [{ name: "tests", region: "tests/**", slots: 2 }] });
    const one = await scene.work("one");
    await fleet.acquire({ holder: `worker:${one}`, lane: "tests", ttlMs: LONG });
    const beside = await fleet.acquire({ holder: "ada", lane: "tests", ttlMs: LONG });
    await fleet.acquire({ holder: "reader", region: "src/**", mode: "shared", ttlMs: LONG });
    await scene.pass(40 * MINUTE);
    scene.commits = [commit(clock.wallMs, "tests/a.ts"), commit(clock.wallMs, "src/a.ts")];
    expect(await scene.told(one)).toBe(SPINNING);
    expect(await scene.told("reader")).toBe("unknown: no_evidence");
    await beside.release();
    expect(await scene.told(one)).toBe(PROGRESS);
  });

  test("where there is no repository nothing is said against who holds ground", async () => {
    const scene = await openScene();
    await scene.fleet.acquire({ holder: "ada", region: "src/**", ttlMs: LONG });
    await scene.fleet.acquire({ holder: "port", region: "port:80", ttlMs: LONG });
    await scene.pass(40 * MINUTE);
    expect(await scene.told("port")).toBe("unknown: no_evidence");
    scene.commits = null;
    expect(await scene.told("ada")).toBe("unknown: no_evidence");
    const { commits } = await scene.view("ada");
    expect(commits).toMatchObject({ known: false, problem: "there is no repository" });
  });
});

test("[LQ3] what a lane saw before is not today's (leases H20)", async () => {
  const scene = await openScene();
  const { fleet } = scene;
  await fleet.enactGround({ lanes: [{ name: "api", region: "src/api/**" }] });
  const busy = await fleet.acquire({ holder: "busy", lane: "api", ttlMs: LONG });
  await busy.narrow("src/api/a/**");
  await busy.release();
  await scene.pass(MINUTE);
  // The same name on the same lane, a minute later: what it did then was for another lease.
  await fleet.acquire({ holder: "busy", lane: "api", ttlMs: LONG });
  expect(await scene.view("busy")).toMatchObject({ rule: "young", progress: null });
  await scene.pass(31 * MINUTE);
  expect(await scene.told("busy")).toBe(SPINNING);
});

test("[LQ3] what another did on the same lane is not its holder's (leases H20)", async () => {
  const liveness = { progressWithinMs: LONG, graceMs: 0 };
  const scene = await openScene({ contract: { ...ROOMY, liveness, lifetimeMs: LONG } });
  const { fleet } = scene;
  await fleet.enactGround({ lanes: [{ name: "api", region: "src/api/**" }] });
  const before = await fleet.acquire({ holder: "ada", lane: "api", ttlMs: LONG });
  await before.narrow("src/api/a/**");
  await before.release();
  await scene.pass(MINUTE);
  await fleet.acquire({ holder: "eve", lane: "api", ttlMs: LONG });
  await scene.pass(MINUTE);
  expect(await scene.view("eve")).toMatchObject({ verdict: "spinning", progress: null });
});

describe("[LQ4] evidence outlives the entries that are at hand", () => {
  /** A journal whose newest entries alone can be read on: the rest is found by its index. */
  const compacted = { isCompacted: false };

  test("what was reported is found where entries are not at hand (leases H19)", async () => {
    compacted.isCompacted = false;
    const scene = await openScene({}, (journal) => ({
      ...bound(journal),
      readStored: async (after, limit) => {
        if (compacted.isCompacted) throw new Fault("archive_broken", "a segment is missing");
        return journal.readStored(after, limit);
      },
      read: async (after, limit) => {
        if (compacted.isCompacted && after.seq < 3)
          throw new Fault("archive_broken", "a segment is missing");
        return journal.read(after, limit);
      },
    }));
    const id = await scene.work("one");
    await scene.pass(40 * MINUTE);
    await scene.fleet.charge(id, { units: { tokens: 1 } });
    await scene.pass(MINUTE);
    compacted.isCompacted = true;
    expect(await scene.told(id)).toBe(PROGRESS);
    compacted.isCompacted = false;
    await scene.pass(10 * 60 * MINUTE);
    expect((await scene.view(id)).progressAgeMs).toBe(601 * MINUTE);
  });
});

describe("[LQ5] signs of life", () => {
  test("a silent worker is stalled, and surely so once a watcher has seen it", async () => {
    const scene = await openScene();
    const id = await scene.work("one");
    scene.silence(id);
    scene.clock.advance(99_000);
    expect(await scene.told(id)).toBe("advancing: young");
    scene.clock.advance(1_000);
    expect(await scene.view(id)).toMatchObject({ verdict: "stalled", rule: "silent", sure: false });
    const observation = { worker: id, beat_count: 1, silent_ms: 40_000, watched_ms: 50_000 };
    const data = { ...observation, seen: "unknown" } as const;
    const answer = await scene.fleet.submit({ kind: "worker.observe", data });
    expect(answer.ok).toBe(true);
    expect(await scene.view(id)).toMatchObject({ rule: "silent", stale: true, sure: true });
  });

  test("a clock that is set ahead alone makes nobody surely stalled (leases H21)", async () => {
    const scene = await openScene();
    const id = await scene.work("one");
    scene.clock.stepWall(3_600_000);
    expect((await scene.view(id)).sure).toBe(false);
    await scene.fleet.heartbeat(id);
    scene.clock.stepWall(-3_600_000);
    // Its last beat is in the future: that is none.
    expect((await scene.view(id)).beatAgeMs).toBeNull();
  });

  test("who is in quarantine, and who was told to stop, is not judged", async () => {
    const scene = await openScene();
    const id = await scene.work("one");
    await scene.pass(40 * MINUTE);
    await scene.fleet.quarantine(id, { reason: "odd" });
    expect(await scene.told(id)).toBe("unknown: quarantined");
  });
});

test("[LQ6] all that live and all that hold are judged, each by its own name", async () => {
  const scene = await openScene();
  const id = await scene.work("one");
  await scene.fleet.acquire({ holder: "ada", region: "src/**", ttlMs: LONG });
  await scene.fleet.acquire({ holder: "ada", region: "docs/**", ttlMs: LONG });
  const all = await scene.fleet.liveness();
  expect(all.map(({ holder, leases }) => [holder, leases.length])).toEqual([
    [id, 0],
    ["ada", 2],
  ]);
  expect((await scene.view("one")).holder).toBe(id);
  const error = await rejectionOf(scene.fleet.liveness("nobody"));
  expect((error as Refused).code).toBe("worker_unknown");
});
