// Who waits for ground that others have: in the order of asking, while he shows that he is there.
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../src/kernel/limits.ts";
import {
  acquire,
  act,
  claim,
  enactLanes,
  holder,
  keep,
  leave,
  leaseOf,
  placeOf,
  release,
  revoke,
  TTL_MS,
  wait,
} from "../../support/lease-scenario.ts";
import {
  after,
  ask,
  create,
  enact,
  exited,
  given,
  idOf,
  kill,
  pause,
  quarantine,
  resume,
  self,
  start,
  stop,
  tick,
  type Ask,
  type Step,
} from "../../support/scenario.ts";

/** Ada holds `src/**`, and bob waits for a part of it. */
const behind: readonly Step[] = [create(), acquire("ada", "src/**"), wait("bob", "src/api/**")];

describe("a place", () => {
  test("[WQ1] whoever waits for what another holds is given a place, with what it is for", () => {
    const play = given(create(), acquire("ada", "src/**"))
      .when(wait("bob", "src/api/**", { wait_ms: 30_000, key: "k" }))
      .happens({
        kind: "place.queued",
        data: {
          ask: { region: ["src/api/**"], ttl_ms: TTL_MS, key: "k" },
          grounds: [{ lane: null, mode: "exclusive", region: ["src/api/**"], alone: false }],
        },
      });
    const place = placeOf(play, "bob");
    expect(place).toMatchObject({
      id: `q-${place.rank}`,
      queued_at_ms: play.atMs,
      until_ms: play.atMs + 15_000,
      deadline_ms: play.atMs + 30_000,
    });
  });

  test("[WQ1] it is no lease: who does not wait is refused, and what is free is granted", () => {
    given(create(), acquire("ada", "src/**")).when(acquire("bob", "src/a")).refused("conflict");
    given(create()).when(wait("bob", "src/a")).happens("lease.granted");
  });

  test.each([
    ["a lane that is not enacted", wait("bob", { lanes: ["x"] }), "lane_unknown"],
    ["a region that is none", wait("bob", "a//b"), "region_invalid"],
    ["what counts as held", wait("bob", "src/a", { also_held: [["src/**"]] }), "conflict"],
  ] as const)("[WQ1] %s is not waited for", (_, step, code) => {
    given(create()).when(step).refused(code);
  });

  test("[WQ1] rights that are exceeded are not waited for", () => {
    given(create(), start("p", { regions: ["docs/**"] }), acquire("ada", "src/**"))
      .when(wait("@p", "src/a"))
      .refused("rights_exceeded");
  });

  test("[WQ3] it is empty from its end on, tick or none, and recorded so a little later", () => {
    given(...behind, release("ada"), after(14_999))
      .when(acquire("carl", "src/api/a"))
      .refused("conflict", { waiting: true });
    given(...behind, release("ada"), after(15_000))
      .when(acquire("carl", "src/api/a"))
      .happens("lease.granted");
    const play = given(...behind, after(19_999))
      .when(tick)
      .happens();
    const id = placeOf(play, "bob").id;
    given(...behind, after(20_000))
      .when(tick)
      .happens({ kind: "place.lapsed", data: { place: id, cause: "unkept" } });
  });

  test("[WQ3] its holder keeps it up, in entries that are worth it", () => {
    given(...behind, after(4_999))
      .when(keep("bob"))
      .happens();
    const play = given(...behind, after(5_000))
      .when(keep("bob"))
      .happens({ kind: "place.kept", data: {} });
    expect(placeOf(play, "bob").until_ms).toBe(play.atMs + LIMITS.placeMs);
  });

  test("[WQ3] it is kept to its deadline and no further", () => {
    const steps = [create(), acquire("ada", "src/**"), wait("bob", "src/**", { wait_ms: 20_000 })];
    const play = given(...steps, after(7_000))
      .when(keep("bob"))
      .happens("place.kept");
    const { deadline_ms, until_ms } = placeOf(play, "bob");
    expect(until_ms).toBe(deadline_ms);
    given(...steps, after(7_000), keep("bob"), after(13_000))
      .when(keep("bob"))
      .refused("wait_timeout", { waited_ms: 20_000, behind: [{ holder: "ada", by: "l-2" }] });
    given(...steps, after(7_000), keep("bob"), after(18_000))
      .when(tick)
      .happens({ kind: "place.lapsed", data: { cause: "deadline" } });
  });

  test("[WQ4] whoever has it leaves it, and who has left has left", () => {
    const play = given(...behind)
      .when(leave("bob"))
      .happens({ kind: "place.left", data: { cause: "holder" } });
    expect(play.state.book.queue.places.size).toBe(0);
    given(...behind, leave("bob", { place: "q-4" }))
      .when(leave("bob", { place: "q-4" }))
      .happens();
  });

  test("[WQ4] an operator ends anybody's waiting, with a reason", () => {
    given(...behind)
      .when((play) => {
        const { id: place } = placeOf(play, "bob");
        return ask("place.cancel", { place, reason: "enough" })(play);
      })
      .happens({ kind: "place.left", data: { cause: "operator", reason: "enough" } });
  });

  test("[WQ4] nobody else acts on it", () => {
    given(...behind)
      .when(keep("bob", { as: "carl" }))
      .refused("holder_mismatch");
    given(...behind)
      .when(leave("bob", { as: "carl" }))
      .refused("holder_mismatch");
    given(create(), start("p"), acquire("ada", "src/**"), wait("@p", "src/a"))
      .when((play) => {
        const data = { place: placeOf(play, "@p").id, claim: { worker: idOf("p") } };
        return ask("place.leave", data, { by: self("z") })(play);
      })
      .refused("not_authorised");
  });

  const waiting = [create(), start("p"), acquire("ada", "src/**"), wait("@p", "src/a")];
  test.each([
    ["is told to stop", stop("p")],
    ["has ended", exited("p")],
  ] as const)("[WQ5] a worker that %s waits no longer", (_, step) => {
    const { play } = given(...waiting, step);
    expect(play.state.book.queue.places.size).toBe(0);
  });

  test("[WQ5] a worker in quarantine is given nothing, and its place lapses", () => {
    given(...waiting, quarantine("p"), release("ada"))
      .when(keep("@p"))
      .refused("holder_quarantined");
  });

  test("[WQ5] nobody waits in a killed fleet", () => {
    const { play } = given(...behind, kill);
    expect(play.state.book.queue.places.size).toBe(0);
    given(...behind, kill)
      .when(keep("bob", { place: "q-4" }))
      .refused("fleet_killed");
  });

  test("[WQ5] a pause gives nothing and takes nobody's place", () => {
    const paused = [...behind, release("ada"), pause, after(9_000)];
    given(...paused)
      .when(keep("bob"))
      .happens("place.kept");
    given(...paused, keep("bob"), resume, after(9_000))
      .when(keep("bob"))
      .happens("lease.granted");
  });

  test("[WQ6] the queue is bounded, for a holder and for the fleet", () => {
    const full = Array.from({ length: LIMITS.placesPerHolderMax }, (_, index) =>
      wait("bob", "src/a", { key: `k${index}` }),
    );
    given(create(), acquire("ada", "src/**"), full)
      .when(wait("bob", "src/b"))
      .refused("queue_full", { field: "places_of_holder" });
    given(create(), acquire("ada", "src/**"), full, after(15_000))
      .when(wait("bob", "src/b"))
      .happens("place.queued");
  });
});

describe("turns", () => {
  test("[WQ2] what is given back goes to whoever waits, not to who comes by", () => {
    const play = given(...behind, release("ada"))
      .when(acquire("carl", "src/api/x"))
      .refused("conflict", { place: "q-3", waiting: true, own: false, witness: "src/api/x" });
    expect(play.state.book.leases.size).toBe(0);
    given(...behind, release("ada"))
      .when(keep("bob"))
      .happens({ kind: "lease.granted", data: { place: "q-3", region: ["src/api/**"] } });
  });

  test("[WQ2] a place that has come to its lease is over, and the lease says which it was", () => {
    const { play } = given(...behind, release("ada"), keep("bob"));
    expect(play.state.book.queue.places.size).toBe(0);
    expect(leaseOf(play, "bob").place).toBe("q-3");
  });

  test("[WQ2] ground that nobody waits for is free to anybody", () => {
    given(...behind, release("ada"))
      .when(acquire("carl", "src/web/**"))
      .happens("lease.granted");
  });

  test("[WQ2] first come, first served: the second waits for the first, then for its lease", () => {
    const two = [...behind, wait("carl", "src/api/x"), release("ada"), after(9_000)];
    given(...two)
      .when(keep("carl"))
      .happens("place.kept");
    given(...two, keep("bob"))
      .when(keep("carl"))
      .happens("place.kept");
    given(...two, keep("bob"), release("bob"))
      .when(keep("carl"))
      .happens("lease.granted");
  });

  test("[WQ2] a turn that is not taken up passes on", () => {
    given(...behind, after(9_000), wait("carl", "src/api/x"), release("ada"), after(6_000))
      .when(keep("carl"))
      .happens("lease.granted");
  });

  test("[WQ2] who waits elsewhere is not waited for", () => {
    given(...behind, acquire("dora", "docs/**"), wait("carl", "docs/a"), release("dora"))
      .when(keep("carl"))
      .happens("lease.granted");
  });

  test("[WQ2] asking again is answered with the lease that the place has come to", () => {
    given(...behind, release("ada"), keep("bob"))
      .when(keep("bob", { place: "q-3" }))
      .happens();
    given(...behind, release("ada"), keep("bob"), release("bob"))
      .when(keep("bob", { place: "q-3" }))
      .refused("place_ended");
  });

  test("[WQ2] every check is made again when it is its turn", () => {
    const deny = [{ name: "night", when: "true" }];
    given(...behind, enact({ lease_deny_when: deny }), release("ada"))
      .when(keep("bob"))
      .refused("lease_condition");
  });

  test("[WQ2] a lease that ends by itself makes way too, at its instant", () => {
    const steps = [...behind, ...Array.from({ length: 5 }, () => [after(11_999), keep("bob")])];
    const play = given(...steps)
      .when(keep("bob"))
      .happens();
    expect(play.atMs).toBeLessThan(leaseOf(play, "ada").expires_at_ms);
    given(create(), acquire("ada", "src/**", { ttl_ms: 5_000 }), wait("bob", "src/a"), after(5_000))
      .when(keep("bob"))
      .happens("lease.lapsed", "lease.granted");
  });

  test("[WQ7] a writer that waits holds up readers that come later, and readers a writer", () => {
    const shared = { mode: "shared" } as const;
    const reading = [create(), acquire("r1", "src/**", shared), wait("writer", "src/**")];
    given(...reading)
      .when(acquire("r2", "src/**", shared))
      .refused("conflict", { place: "q-3" });
    const rest = [wait("r2", "src/**", shared), wait("r3", "src/a", shared), wait("w2", "src/a")];
    const queue = [...reading, ...rest, release("r1"), keep("writer")];
    given(...queue)
      .when(keep("r2"))
      .happens();
    const served = given(...queue, release("writer"), keep("r2"), keep("r3")).play;
    expect(served.state.book.leases.size).toBe(2);
    given(...queue, release("writer"), keep("r2"), keep("r3"), release("r2"))
      .when(keep("w2"))
      .happens();
    given(...queue, release("writer"), keep("r2"), keep("r3"), release("r2"), release("r3"))
      .when(keep("w2"))
      .happens("lease.granted");
  });

  test("[WQ7] readers that wait share: they do not wait for each other", () => {
    const shared = { mode: "shared" } as const;
    const steps = [create(), acquire("w", "src/**"), wait("r1", "src/**", shared)];
    given(...steps, wait("r2", "src/**", shared), release("w"))
      .when(keep("r2"))
      .happens("lease.granted");
  });

  test("[WQ8] slots are given in the order of waiting, as many as there are", () => {
    const lane = { name: "ci", region: ["ci/**"], slots: 2 };
    const on = { lanes: ["ci"] };
    const full = [create(), enactLanes([lane]), acquire("a", on), acquire("b", on)];
    const line = [...full, wait("c", on), wait("d", on)];
    given(...line, release("a"))
      .when(acquire("e", on))
      .refused("slots_full", { waiting_count: 2 });
    given(...line, release("a"))
      .when(keep("d"))
      .happens();
    given(...line, release("a"), release("b"))
      .when(keep("d"))
      .happens("lease.granted");
    given(...line, release("a"), release("b"), keep("d"))
      .when(keep("c"))
      .happens("lease.granted");
  });

  test("[WQ8] who wants the whole lane is not passed by those who want a slot", () => {
    const lane = { name: "ci", region: ["ci/**"], slots: 2 };
    const on = { lanes: ["ci"] };
    const steps = [create(), enactLanes([lane]), acquire("a", on)];
    given(...steps, wait("whole", { ...on, mode: "exclusive" }))
      .when(acquire("b", on))
      .refused("conflict", { place: "q-4" });
  });

  test("[WQ9] a lane that runs alone waits for all, and all who come later for it", () => {
    const lanes = [{ name: "release", region: ["dist/**"], alone: true }];
    const steps = [create(), enactLanes(lanes), acquire("a", "src/a"), acquire("b", "src/b")];
    const line = [...steps, wait("alone", { lanes: ["release"] })];
    given(...line)
      .when(acquire("c", "src/c"))
      .refused("conflict", { place: "q-5", alone: true });
    given(...line, release("a"))
      .when(keep("alone"))
      .happens();
    given(...line, release("a"), release("b"))
      .when(keep("alone"))
      .happens("lease.granted");
    given(...steps, wait("c", "src/a"), wait("alone", { lanes: ["release"] }), revoke("a"))
      .when(revoke("b"))
      .happens("lease.revoked");
    const passed = [wait("c", "src/a"), wait("alone", { lanes: ["release"] })];
    given(...steps, ...passed, release("a"), release("b"))
      .when(keep("alone"))
      .happens();
  });

  test("[WQ10] of several lanes the first that comes free is taken up", () => {
    const lanes = ["x", "y"].map((name) => ({ name, region: [`${name}/**`] }));
    const both = { lanes: ["x", "y"] };
    const steps = [create(), enactLanes(lanes), acquire("a", "x/**"), acquire("b", "y/**")];
    const play = given(...steps, wait("c", both), release("b"))
      .when(keep("c"))
      .happens({ kind: "lease.granted", data: { lane: "y" } });
    expect(play.state.book.queue.places.size).toBe(0);
    given(...steps, wait("c", both), release("b"))
      .when(acquire("d", "y/1"))
      .refused("conflict");
  });
});

describe("circles", () => {
  const two = [create(), acquire("ada", "a"), acquire("bob", "b")];

  test("[WQ11] a wait that would close a circle is refused, and the circle shown", () => {
    const play = given(...two, wait("ada", "b"))
      .when(wait("bob", "a"))
      .refused("wait_deadlock", {
        cycle: [
          { holder: "bob", waits_for: "ada", by: "l-2" },
          { holder: "ada", waits_for: "bob", by: "l-3" },
        ],
      });
    expect(play.state.book.queue.places.size).toBe(1);
  });

  test("[WQ11] however long it is, through places as well as leases", () => {
    const three = [...two, acquire("carl", "c"), wait("ada", "b"), wait("bob", "c")];
    given(...three)
      .when(wait("carl", "a"))
      .refused("wait_deadlock", { holders: ["carl", "ada", "bob"] });
    given(create(), acquire("ada", "a"), wait("bob", "a c"))
      .when(wait("ada", "c"))
      .refused("wait_deadlock", { cycle: [{ by: "q-3" }, { by: "l-2" }] });
  });

  test("[WQ11] a line is no circle, nor is a circle of which one waits no longer", () => {
    given(...two, wait("carl", "a"))
      .when(wait("ada", "b"))
      .happens("place.queued");
    given(...two, wait("ada", "b"), leave("ada"))
      .when(wait("bob", "a"))
      .happens("place.queued");
    given(...two, wait("ada", "b"), after(15_000))
      .when(wait("bob", "a"))
      .happens("place.queued");
  });

  test("[WQ11] one way out of several is enough", () => {
    const lanes = ["x", "y"].map((name) => ({ name, region: [name] }));
    const steps = [...two, acquire("carl", "c"), enactLanes(lanes), acquire("dora", "y")];
    given(...steps, acquire("ada", "x"), wait("bob", "a"))
      .when(wait("ada", "b"))
      .refused("wait_deadlock");
    given(...steps, acquire("bob", "x"), wait("bob", "a"))
      .when(wait("ada", { lanes: ["x", "y"] }))
      .happens("place.queued");
  });

  test("[WQ11] of slots one that comes free is enough", () => {
    const lane = { name: "ci", region: ["ci/**"], slots: 2 };
    const on = { lanes: ["ci"] };
    const full = [create(), enactLanes([lane]), acquire("ada", "a"), acquire("b", on)];
    given(...full, acquire("c", on), wait("b", "a"))
      .when(wait("ada", on))
      .happens("place.queued");
    given(...full, acquire("c", on), wait("b", "a"), wait("c", "a"))
      .when(wait("ada", on))
      .refused("wait_deadlock");
  });

  test("[WQ11] a slot that is held and promised is given back twice before it is one's own", () => {
    const on = { lanes: ["ci"] };
    const lane = enactLanes([{ name: "ci", region: ["ci/**"], slots: 1 }]);
    const held = [acquire("ada", on), acquire("pat", "x"), wait("will", on), wait("pat", on)];
    given(create(), lane, ...held)
      .when(wait("will", "x"))
      .refused("wait_deadlock", { cycle: [{ by: "l-4" }, { by: "q-5" }] });
  });

  test("[WQ11] a slot that is promised to who came first is as good as taken", () => {
    const lane = { name: "ci", region: ["ci/**"], slots: 2 };
    const on = { lanes: ["ci"] };
    const full = [create(), enactLanes([lane]), acquire("y", on), acquire("z", on)];
    const promised = [...full, wait("c", on), wait("d", on), release("y"), release("z")];
    const held = [...promised, acquire("ada", "a"), wait("c", "a")];
    given(...held)
      .when(wait("ada", on))
      .happens("place.queued");
    given(...held, wait("d", "a"))
      .when(wait("ada", on))
      .refused("wait_deadlock", { holders: ["ada", "c"], cycle: [{ by: "q-5" }, { by: "l-9" }] });
  });

  test("[WQ11] who came first and may come to other ground is not in the way for ever", () => {
    const lanes = ["x", "y", "z"].map((name) => ({ name, region: [name] }));
    const steps = [create(), enactLanes(lanes), acquire("ada", "a"), acquire("bob", "x")];
    const either = wait("carl", { lanes: ["x", "y"] });
    // Carl waits for ada, and keeps what it has until then: it may be y.
    const behind = (first: Ask) => [...steps, acquire("dora", "y"), first, wait("carl", "a")];
    given(...behind(either))
      .when(wait("ada", "x"))
      .happens("place.queued");
    given(...behind(either))
      .when(wait("ada", "x y"))
      .refused("wait_deadlock", { holders: ["ada", "carl"] });
    given(...behind(wait("carl", "x")))
      .when(wait("ada", "x"))
      .refused("wait_deadlock", { holders: ["ada", "carl"] });
  });

  test("[WQ11] a circle that a circle of others hides is found when that has ended", () => {
    const handed = act(
      ["lease.hand_over", "bob"],
      { to: holder("carl") },
      { as: "bob", claim: claim("bob") },
    );
    const others = [...two, wait("carl", "a"), wait("ada", "b"), handed];
    const hidden = [...others, acquire("dora", "d"), acquire("eve", "e"), wait("dora", "a e")];
    given(...hidden)
      .when(wait("eve", "d"))
      .happens({ kind: "place.queued", data: { behind_circle: true } });
    const shown = [...hidden, wait("eve", "d"), leave("carl")];
    given(...shown)
      .when(keep("dora"))
      .refused("wait_deadlock", { holders: ["dora", "eve"] });
    given(...shown)
      .when(keep("eve"))
      .refused("wait_deadlock", { holders: ["eve", "dora"] });
    // Whoever holds nothing may be waited for, too, for having come first.
    const solo = enactLanes([{ name: "solo", region: ["port:2"], alone: true }]);
    const places = [wait("dora", { lanes: ["solo"] }), wait("eve", "x a"), wait("dora", "x")];
    given(create(), solo, ...others.slice(1), ...places, leave("carl"))
      .when(keep("eve"))
      .refused("wait_deadlock", { holders: ["eve", "dora"] });
  });

  test("[WQ11] what one has oneself is not waited for, but by other work of one's own", () => {
    given(...two)
      .when(wait("ada", "*"))
      .refused("wait_deadlock", { holders: ["ada"] });
    given(create(), acquire("ada", "a", { key: "one" }))
      .when(wait("ada", "a", { key: "two" }))
      .happens("place.queued");
  });

  test("[WQ11] a circle that a handing over closes is found when a place is kept up", () => {
    const handed = act(
      ["lease.hand_over", "bob"],
      { to: holder("carl") },
      { as: "bob", claim: claim("bob") },
    );
    const steps = [...two, wait("carl", "a"), wait("ada", "b")];
    given(...steps, handed)
      .when(keep("ada"))
      .refused("wait_deadlock");
    // Whoever waits for those of a circle, and is not waited for by them, may wait.
    given(...steps, acquire("dora", "d"), handed)
      .when(wait("dora", "a"))
      .happens("place.queued");
  });

  test("[WQ11] so is one that is closed by a lease of whoever waits elsewhere, too", () => {
    const on = { lanes: ["ci"] };
    const laneOf = (slots: number) => enactLanes([{ name: "ci", region: ["ci/**"], slots }]);
    const own = [acquire("ada", "ci/**"), wait("bob", "ci/**"), wait("bob", on), release("ada")];
    given(create(), laneOf(2), ...own, keep("bob", { place: "q-4" }))
      .when(keep("bob"))
      .refused("wait_deadlock");
    // Will may take y, and does not: pat waits for what will keeps until it has what pat has.
    const lanes = ["x", "y"].map((name) => ({ name, region: [name] }));
    const held = [enactLanes(lanes), acquire("ada", "x"), acquire("eve", "y"), acquire("pat", "p")];
    const places = [wait("will", { lanes: ["x", "y"] }), wait("pat", "x"), wait("will", "p")];
    const turn = [release("ada"), keep("will", { place: "q-6" })];
    given(create(), ...held, ...places, ...turn)
      .when(keep("pat"))
      .refused("wait_deadlock");
  });

  test("[WQ11] so is one that ground closes that is lent to whoever waits", () => {
    const workers = [create(), start("a"), start("b", { under: "a" })] as const;
    const held = [acquire("ada", "a"), acquire("@a", "src/**")] as const;
    const lent = act(["lease.split", "@a"], { region: ["src/x"], to: idOf("b"), ttl_ms: TTL_MS });
    given(...workers, ...held, wait("@b", "a"), wait("ada", "src/x"), lent)
      .when(keep("ada"))
      .refused("wait_deadlock");
  });

  test("[WQ11] so is one that fewer slots close", () => {
    const laneOf = (slots: number) => enactLanes([{ name: "ci", region: ["ci/**"], slots }]);
    const on = { lanes: ["ci"] };
    const full = [create(), laneOf(3), acquire("ada", "a"), acquire("b", on), acquire("c", on)];
    const steps = [...full, acquire("d", on), wait("b", "a"), wait("c", "a"), wait("ada", on)];
    given(...steps, laneOf(2), release("d"))
      .when(keep("ada"))
      .refused("wait_deadlock");
  });

  test("[WQ6] what a holder waits for is bounded in bytes, while it waits", () => {
    const long = Array.from({ length: 9 }, (_, at) => `src/${"x".repeat(200)}/${at}/**`).join(" ");
    const many = Array.from({ length: 34 }, (_, at) => wait("bob", long, { key: `k${at}` }));
    given(create(), acquire("ada", "src/**"), many)
      .when(wait("bob", long, { key: "more" }))
      .refused("queue_full", { field: "bytes_of_holder" });
    given(create(), acquire("ada", "src/**"), many, after(15_000))
      .when(wait("bob", long, { key: "more" }))
      .happens("place.queued");
  });
});

test("[WQ12] what is in the way more never turns a refusal into a grant (leases H26)", () => {
  const lanes = ["x", "y"].map((name) => ({ name, region: [`${name}/**`], slots: 1 }));
  const free = [create(), enactLanes(lanes), acquire("a", "x/1")];
  given(...free)
    .when(acquire("c", { lanes: ["x"] }))
    .refused("conflict");
  given(...free, acquire("b", "x/2"), wait("d", { lanes: ["x"] }))
    .when(acquire("c", { lanes: ["x"] }))
    .refused("conflict");
});
