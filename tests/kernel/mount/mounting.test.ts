// Ground that sandboxes have mounted: it is occupied from before it is mounted until it is fenced.
import { describe, expect, test } from "vitest";
import { findViolations } from "../../../src/kernel/invariants/invariants.ts";
import { INITIAL_STATE } from "../../../src/kernel/state.ts";
import { evolve } from "../../../src/kernel/evolve.ts";
import {
  acquire,
  act,
  enactLanes,
  leaseOf,
  release,
  revoke,
  TTL_MS,
} from "../../support/lease-scenario.ts";
import {
  after,
  type Ask,
  ask,
  create,
  exited,
  given,
  idOf,
  kill,
  type Play,
  start,
  type Step,
  SUPERVISOR,
  tick,
} from "../../support/scenario.ts";

const enforced = { sandbox: { leases: "enforced", widen: "none" } } as never;
const SRC = { region: ["src/**"] };

/** The supervisor mounts the newest lease of a worker, or one that is named. */
function mount(name: string, lease?: string): Ask {
  return (play) => {
    const id = lease ?? leaseOf(play, `@${name}`).id;
    return ask("lease.mount", { lease: id, worker: idOf(name) }, { by: SUPERVISOR })(play);
  };
}

function fence(name: string, lease: string): Ask {
  const data = { lease, worker: idOf(name), waited_ms: 5, was_frozen: false };
  return ask("lease.fence", data, { by: SUPERVISOR });
}

const two: readonly Step[] = [create(), ...start("a"), ...start("b")];
const mounted: readonly Step[] = [...two, acquire("@a", "src/**"), mount("a")];
const LEASE = "l-6";

/** All that the entries of a play broke. */
function violationsIn(play: Play): readonly string[] {
  let state = INITIAL_STATE;
  return play.entries.flatMap((entry) => {
    const next = evolve(state, entry);
    const found = findViolations(state, entry, next);
    state = next;
    return found;
  });
}

describe("what a sandbox has mounted", () => {
  test("[GM10] it is on record with its folders before it is done", () => {
    const data = { lease: LEASE, worker: idOf("a"), region: ["src/**"] };
    given(two, acquire("@a", "src/** *.md"))
      .when(mount("a"))
      .happens({ kind: "lease.mounted", data });
    given(mounted).when(mount("a")).happens();
    given(two, acquire("@a", "*.md")).when(mount("a")).happens();
    given(two, acquire("@a", "src/**", { mode: "shared" }))
      .when(mount("a"))
      .happens();
  });

  test("[GM10] only for the holder, while the lease lives and the fleet does", () => {
    given(two, acquire("@a", "src/**")).when(mount("b", LEASE)).refused("holder_mismatch");
    given(two, acquire("ann", "src/**")).when(mount("b", LEASE)).refused("holder_mismatch");
    const late = given(two, acquire("@a", "src/**"), after(TTL_MS)).when(mount("a", LEASE));
    expect(late.decision.refusal?.code).toBe("lease_ended");
    given(two, acquire("@a", "src/**"), kill).when(mount("a", LEASE)).refused("fleet_killed");
  });

  const ends: readonly (readonly [string, Step])[] = [
    ["released", release("@a")],
    ["revoked", revoke("@a")],
    ["over", after(TTL_MS)],
    ["narrowed", act(["lease.narrow", "@a"], { region: ["src/x/**"] })],
  ];

  test.each(ends)("[GM11] ground whose lease is %s is granted on when it is fenced", (_, end) => {
    const lapsing = { lapsing: true, lease_id: LEASE, holder: idOf("a"), own: false };
    const base = given(mounted, end);
    const asked = { ttl_ms: 10, region: ["src/api/**"] };
    base.when(acquire("@b", asked)).decision.events.at(-1);
    expect(base.play.entries.at(-1)?.data).toMatchObject({ code: "conflict", facts: lapsing });
    const reader = given(mounted, end).when(acquire("@b", { ...asked, mode: "shared" }));
    expect(reader.decision.refusal?.facts).toMatchObject(lapsing);
    expect(given(mounted, end).when(acquire("ann", asked)).decision.refusal?.code).toBe("conflict");
    const { play } = given(mounted, end, fence("a", LEASE), acquire("@b", asked));
    expect(play.state.book.mounts.size).toBe(0);
    expect(violationsIn(play)).toEqual([]);
  });

  test("[GM11] what lies beside it is granted, and what its own worker asks for", () => {
    for (const step of [acquire("@b", "docs/**"), acquire("@a", "src/**")])
      given(mounted, release("@a")).when(step).happens("lease.granted");
  });

  test("[GM11] a lane that runs alone waits for it", () => {
    const lanes = enactLanes([{ name: "release", region: ["dist/**"], alone: true }]);
    given(mounted, release("@a"), lanes)
      .when(acquire("@b", { lanes: ["release"] }))
      .refused("conflict", { alone: true, lapsing: true });
  });

  test("[GM11] a slot of the same lane does not", () => {
    const lanes = enactLanes([{ name: "web", region: ["web/**"], slots: 1 }]);
    const slot = { lanes: ["web"] };
    given(two, lanes, acquire("@a", slot), mount("a"), release("@a"))
      .when(acquire("@b", slot))
      .happens("lease.granted");
  });

  test("[GM12] it ends with its worker, and never by time alone", () => {
    const { play } = given(mounted, release("@a"), after(100 * TTL_MS), tick);
    expect(play.state.book.mounts.size).toBe(1);
    const ended = given(mounted, release("@a"), exited("a"), acquire("@b", SRC));
    expect(ended.play.state.book.mounts.size).toBe(0);
    expect(violationsIn(ended.play)).toEqual([]);
  });

  test("[GM12] what nothing is mounted for cannot be fenced, nor another's", () => {
    given(mounted).when(fence("b", LEASE)).happens();
    given(two).when(fence("a", LEASE)).happens();
    given(mounted)
      .when(fence("a", LEASE))
      .happens({ kind: "lease.fenced", data: { region: ["src/**"], waited_ms: 5 } });
  });

  test("[GM13] it is not lent or handed over while it is mounted", () => {
    const child = start("c", { under: "a", regions: ["src/**"] });
    const part = { region: ["src/x/**"], to: idOf("c"), ttl_ms: 10 };
    const facts = { lease_id: LEASE, holder: idOf("a") };
    given(mounted, child)
      .when(act(["lease.split", "@a"], part))
      .refused("conflict", facts);
    const to = { to: { worker: idOf("b") } };
    given(mounted)
      .when(act(["lease.hand_over", "@a"], to))
      .refused("conflict", facts);
  });

  test("[GM14] a narrowed lease is mounted anew when its old ground is fenced", () => {
    const narrow = act(["lease.narrow", "@a"], { region: ["src/x/**"] });
    given(mounted, narrow).when(mount("a")).refused("conflict");
    given(mounted, narrow, fence("a", LEASE))
      .when(mount("a"))
      .happens({ kind: "lease.mounted", data: { region: ["src/x/**"] } });
  });
});

describe("widening", () => {
  const wide = (
    name: string,
    region: string,
    so: object = { leases: "enforced" },
  ): readonly Step[] => [
    create({
      sandbox: { ...(enforced as { sandbox: object }).sandbox, widen: "directory", ...so },
    } as never),
    ...start("a"),
    acquire(name, region),
  ];

  test.each([
    ["src/api/x.ts", ["src/api/**"]],
    ["src/api/*.ts", ["src/api/**"]],
    ["src/**/*.ts", ["src/**"]],
    ["README.md", ["**"]],
    ["src/api/** src/api/x.ts", ["src/api/**"]],
    ["src/x.ts !src/gen/**", ["src/**", "!src/gen/**"]],
    ["port:80", ["port:80"]],
    [String.raw`a\*b/c`, [String.raw`a\*b/**`]],
  ])("[GM15] a worker that asks for %s is granted %j", (asked, granted) => {
    expect(leaseOf(given(wide("@a", asked)).play, "@a").region).toEqual(granted);
  });

  test("[GM15] what was asked for stands in the entry, and asking again writes nothing", () => {
    const base = given(wide("@a", "src/x.ts"));
    expect(base.play.entries.at(-1)?.data).toMatchObject({ widened_from: ["src/x.ts"] });
    base.when(acquire("@a", "src/x.ts")).happens();
    const whole = given(wide("@a", "src/**")).play.entries.at(-1);
    expect(whole?.data).not.toHaveProperty("widened_from");
  });

  test("[GM15] what is widened must lie in the worker's rights", () => {
    const [founding] = wide("@a", "x") as [Step];
    given(founding, start("a", { regions: ["src/x.ts"] }))
      .when(acquire("@a", "src/x.ts"))
      .refused("rights_exceeded");
  });

  test("[GM15] nothing is widened for outside parties, for readers, or where leases guard", () => {
    expect(leaseOf(given(wide("ann", "src/x.ts")).play, "ann").region).toEqual(["src/x.ts"]);
    const guarded = given(wide("@a", "src/x.ts", { leases: "guarded" })).play;
    expect(leaseOf(guarded, "@a").region).toEqual(["src/x.ts"]);
    const [founding] = wide("@a", "x") as [Step];
    const shared = acquire("@a", "src/x.ts", { mode: "shared" });
    expect(leaseOf(given(founding, start("a"), shared).play, "@a").region).toEqual(["src/x.ts"]);
  });
});
