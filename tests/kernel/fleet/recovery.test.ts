import { describe, expect, test } from "vitest";
import { fenceAt } from "../../../src/kernel/lease/lease.ts";
import { LIMITS } from "../../../src/kernel/limits.ts";
import type { Manifest } from "../../../src/kernel/worker/manifest.ts";
import {
  admit,
  after,
  ask,
  create,
  exited,
  FLEET,
  given,
  idOf,
  kill,
  pause,
  quarantine,
  recover,
  resume,
  start,
  START_MS,
  stop,
  tick,
  type Step,
} from "../../support/scenario.ts";

const ROOMY = { lifetime_ms: 60_000, register_within_ms: 1_000 } as const;
const open = create(ROOMY);

/** The manifests of workers that a part of a fleet admitted which is then lost. */
function lostManifests(
  kept: readonly (Step | readonly Step[])[],
  lost: readonly (Step | readonly Step[])[],
  names: readonly string[],
): readonly Manifest[] {
  const { play } = given(...kept, ...lost);
  return names.map((name) => play.manifestOf(name));
}

describe("going on after a loss", () => {
  test("[RV1] the next entry stands above all that is remembered, in a new epoch, paused", () => {
    const play = given(open)
      .when(recover([], 41))
      .happens({
        kind: "fleet.recovered",
        data: { kept_seq: 1, remembered_seq: 42, epoch: 1, reason: "play" },
      });
    expect(play.state).toMatchObject({ seq: 43, epoch: 1, status: "paused" });
    expect(play.entries.at(-1)?.seq).toBe(43);
    expect(given(open, recover([]), recover([])).play.state.epoch).toBe(2);
  });

  test("[RV21] the new epoch is above the one that is remembered, though its entry is lost", () => {
    const lost = given(open, recover([]), recover([])).play.state.epoch;
    const { state } = given(open)
      .when(recover([], 41, lost))
      .happens({ kind: "fleet.recovered", data: { epoch: lost + 1 } });
    expect(state.epoch).toBe(lost + 1);
    // Whoever remembers less than what was kept has been overtaken by it.
    given(open, recover([], 10, 6))
      .when(recover([], 10, 3))
      .happens({ kind: "fleet.recovered", data: { epoch: 8 } });
  });

  test("[RV22] the last epoch that a fence has room for is taken, one above it is refused", () => {
    const { epochMax } = LIMITS;
    const last = given(open)
      .when(recover([], 10, epochMax - 1))
      .happens("fleet.recovered");
    expect(last.state.epoch).toBe(2 ** 13 - 1);
    expect(Number.isSafeInteger(fenceAt(last.state.epoch, LIMITS.seqMax))).toBe(true);
    const facts = { field: "epoch", max: epochMax, got: epochMax + 1 };
    given(open)
      .when(recover([], 10, epochMax))
      .refused("limit_exceeded", facts);
    given(open, recover([], 10, epochMax - 1))
      .when(recover([]))
      .refused("limit_exceeded", facts);
  });

  test("[RV1] a fleet that was paused stays so, and is opened again by an operator", () => {
    expect(given(open, pause, recover([])).play.state.status).toBe("paused");
    given(open, recover([])).when(admit("a")).refused("fleet_paused");
    given(open, recover([]), resume).when(admit("a")).happens("worker.admitted");
  });

  test("[RV2] asked again it writes nothing", () => {
    const hashes = { kept_hash: "a".repeat(64), remembered_hash: "b".repeat(64) };
    const data = { reason: "again", ...hashes, remembered_seq: 42, workers: [] };
    const step = ask("fleet.recover", data);
    given(open, recover([], 41)).when(step).happens();
  });

  test("[RV3] a kill stays in force, and who is taken over is told to stop", () => {
    const [manifest] = lostManifests([open], [start("a")], ["a"]);
    const play = given(open, kill)
      .when(recover(manifest === undefined ? [] : [manifest]))
      .happens("fleet.recovered", "worker.adopted");
    expect(play.state.status).toBe("killed");
    expect(play.worker("a").stopping?.reason).toBe("killed");
    given(open, kill, recover([])).when(resume).refused("fleet_killed");
  });
});

describe("workers of the lost part", () => {
  test("[RV4] one that is known runs and counts, until it expires", () => {
    const workers = lostManifests([open], [start("a")], ["a"]);
    const play = given(open)
      .when(recover(workers))
      .happens("fleet.recovered", { kind: "worker.adopted", data: { parent: null } });
    expect(play.worker("a")).toMatchObject({ status: "running", expires_at_ms: START_MS + 60_000 });
    expect(play.state).toMatchObject({ live_count: 1, total_count: 1 });
    play.take(after(60_000));
    play.take(tick);
    expect(play.worker("a").stopping?.reason).toBe("expired");
  });

  test("[RV4] one that is past its time already is told to stop by the next decision", () => {
    const workers = lostManifests([open], [start("a")], ["a"]);
    const { play } = given(open, after(10 ** 8), recover(workers), tick);
    expect(play.worker("a").stopping?.reason).toBe("expired");
  });

  test("[RV4] it counts against max_replicas, and nobody is admitted above it", () => {
    const tight = create({ ...ROOMY, max_replicas: 1 });
    const workers = lostManifests([open], [start("a"), start("b")], ["a", "b"]);
    given(tight, recover(workers), resume).when(admit("c")).refused("max_replicas", { live: 2 });
  });

  test("[RV5] a reservation whose registration was lost does not lapse, it runs", () => {
    const kept = [open, admit("a")];
    const workers = lostManifests(kept, [], ["a"]);
    const play = given(...kept, after(5_000))
      .when(recover(workers))
      .happens("fleet.recovered", "worker.adopted");
    expect(play.worker("a").status).toBe("running");
    expect(play.state.total_count).toBe(1);
    play.take(tick);
    expect(play.worker("a").status).toBe("running");
    const unknown = given(...kept, after(5_000), recover([]), tick).play;
    expect(unknown.holds("a")).toBe(false);
  });

  test.each<[string, readonly Step[], string]>([
    ["runs", [], "running"],
    ["was told to stop", [stop("a")], "stopping"],
    ["is in quarantine", [quarantine("a")], "running"],
  ])("[RV5] one that %s in the kept part stays as it is there", (_, steps, status) => {
    const kept = [open, start("a"), ...steps];
    const workers = lostManifests([open], [start("a")], ["a"]);
    const play = given(...kept)
      .when(recover(workers))
      .happens("fleet.recovered");
    expect(play.worker("a").status).toBe(status);
  });

  test("[RV6] a family is taken over as one, parents before their children", () => {
    const lost = [start("p"), start("c", { under: "p" }), start("g", { under: "c" })];
    const workers = lostManifests([open], lost, ["g", "p", "c"]);
    const play = given(open)
      .when(recover(workers))
      .happens(
        "fleet.recovered",
        { kind: "worker.adopted", data: { parent: null } },
        { kind: "worker.adopted", data: { parent: idOf("p") } },
        { kind: "worker.adopted", data: { parent: idOf("c") } },
      );
    expect(play.worker("g")).toMatchObject({ depth: 2, root: idOf("p"), parent: idOf("c") });
    play.take(exited("p"));
    expect(play.worker("g").stopping?.reason).toBe("orphaned");
  });

  test("[RV6] what its parent holds is carved again", () => {
    const budget = { cpu_milli: 100, spawns: 5 };
    const kept = [create({ ...ROOMY, budget }), start("p")];
    const child = { under: "p", budget: { cpu_milli: 60, spawns: 1 } };
    const workers = lostManifests(kept, [start("a", child)], ["a"]);
    const { play } = given(...kept, recover(workers));
    expect(play.worker("p")).toMatchObject({
      reserved: { cpu_milli: 60, spawns: 1 },
      spent: { spawns: 1 },
    });
  });

  test("[RV6] one that its parent has no room for, or none any more, stands on its own", () => {
    const budget = { cpu_milli: 100 };
    const kept = [create({ ...ROOMY, budget }), start("p")];
    const big = { under: "p", budget: { cpu_milli: 60 } };
    const first = start("a", big);
    const workers = lostManifests([...kept], [first, exited("a"), start("b", big)], ["b"]);
    const play = given(...kept, first)
      .when(recover(workers))
      .happens("fleet.recovered", { kind: "worker.adopted", data: { parent: null } });
    expect(play.worker("b")).toMatchObject({ depth: 1, root: idOf("p"), parent: null });
    const orphan = given(...kept, exited("p"))
      .when(recover(workers))
      .happens("fleet.recovered", { kind: "worker.adopted", data: { parent: null } });
    expect(orphan.worker("b").parent).toBeNull();
  });

  test("[RV7] a manifest of another fleet is refused, and nothing goes on", () => {
    const [manifest] = lostManifests([open], [start("a")], ["a"]);
    if (manifest === undefined) throw new Error("a was admitted");
    given(open)
      .when(recover([{ ...manifest, fleet: "f-other" }]))
      .refused("manifest_foreign", { expected: FLEET, got: "f-other" });
  });
});
