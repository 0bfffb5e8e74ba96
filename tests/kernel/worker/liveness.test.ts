import { describe, expect, test } from "vitest";
import {
  admit,
  ask,
  create,
  given,
  idOf,
  observe,
  quarantine,
  self,
  start,
  stop,
  SUPERVISOR,
} from "../../support/scenario.ts";

const BEAT_MS = 1_000;
const STALE_MS = 3 * BEAT_MS;
const REAP_MS = 5_000;

const watched = { beat_every_ms: BEAT_MS, reap_after_ms: REAP_MS } as const;
const running = [create(watched), ...start("a")];

describe("staleness", () => {
  test.each([
    { silent_ms: STALE_MS - 1, kinds: [] },
    { silent_ms: STALE_MS, kinds: ["worker.staled"] },
    { silent_ms: STALE_MS + 1, kinds: ["worker.staled"] },
  ] as const)(
    "[LV1] silent for $silent_ms ms at a beat of one second: $kinds.0",
    ({ silent_ms, kinds }) => {
      given(running)
        .when(observe("a", { silent_ms }))
        .happens(...kinds);
    },
  );

  test("[LV2] staleness is written once, stops nothing, and ends with the next beat", () => {
    const { play } = given(running, observe("a", { silent_ms: STALE_MS }));
    expect(play.take(observe("a", { silent_ms: STALE_MS + 500 }))?.events).toStrictEqual([]);
    expect(play.worker("a")).toMatchObject({ status: "running", stale: true });
    const heard = play.take(observe("a", { beat_count: 8 }))?.events;
    expect(heard?.map(({ kind }) => kind)).toStrictEqual(["worker.recovered"]);
    expect(play.worker("a").stale).toBe(false);
    expect(play.take(observe("a", { beat_count: 9 }))?.events).toStrictEqual([]);
  });

  test("[LV2] a stale worker gets no child, and checkpoints all the same", () => {
    const stale = [...running, observe("a", { silent_ms: STALE_MS })];
    given(stale)
      .when(admit("b", { under: "a" }))
      .refused("parent_stale");
    given(stale)
      .when(ask("worker.checkpoint", { worker: idOf("a"), state: {} }, { by: self("a") }))
      .happens("worker.checkpointed");
  });

  test("[LV3] a worker that was never heard is unknown, never stale and never recovered", () => {
    const unheard = { beat_count: undefined, silent_ms: REAP_MS, seen: "alive" } as never;
    const play = given(running).when(observe("a", unheard)).happens();
    expect(play.worker("a").stale).toBe(false);
  });
});

describe("reaping", () => {
  test.each([
    { silent_ms: REAP_MS - 1, kinds: ["worker.staled"] },
    { silent_ms: REAP_MS, kinds: ["worker.staled", "worker.stopping"] },
    { silent_ms: REAP_MS + 1, kinds: ["worker.staled", "worker.stopping"] },
  ] as const)(
    "[LV4] silent for $silent_ms ms and not seen alive, at a reap_after of 5 s: $kinds",
    ({ silent_ms, kinds }) => {
      for (const seen of ["gone", "unknown"] as const)
        given(running)
          .when(observe("a", { silent_ms, seen }))
          .happens(...kinds);
    },
  );

  test("[LV4] the reason says so, and the end still takes evidence", () => {
    const play = given(running)
      .when(observe("a", { silent_ms: REAP_MS, seen: "gone" }))
      .happens("worker.staled", { kind: "worker.stopping", data: { reason: "reaped" } });
    expect(play.state.live_count).toBe(1);
  });

  test("[LV5] nobody is reaped before he was watched for one reap_after", () => {
    const seen = { silent_ms: 10 ** 9, seen: "gone" } as const;
    given(running)
      .when(observe("a", { ...seen, watched_ms: REAP_MS - 1 }))
      .happens("worker.staled");
    given(running)
      .when(observe("a", { ...seen, watched_ms: REAP_MS }))
      .happens("worker.staled", "worker.stopping");
  });

  test("[LV5] who is heard is not reaped, however long he is watched (replication B7)", () => {
    given(running)
      .when(observe("a", { silent_ms: 0, watched_ms: 10 ** 9, seen: "gone" }))
      .happens();
  });

  test("[LV3] one that was never heard is reaped only when it is not seen alive either", () => {
    const unheard = { beat_count: undefined, silent_ms: REAP_MS } as never;
    given(running)
      .when(observe("a", { ...(unheard as object), seen: "gone" }))
      .happens({ kind: "worker.stopping", data: { reason: "reaped" } });
  });

  test("[LV6] seen alive, a silent worker is flagged once and not stopped", () => {
    const silent = { silent_ms: REAP_MS, seen: "alive" } as const;
    const play = given(running)
      .when(observe("a", silent))
      .happens("worker.staled", "worker.flagged");
    expect(play.take(observe("a", silent))?.events).toStrictEqual([]);
    expect(play.worker("a")).toMatchObject({ flagged: true, status: "running" });
    play.take(observe("a"));
    expect(play.worker("a")).toMatchObject({ flagged: false, stale: false });
  });

  test("[LV6] it is stopped if the contract says so, for being silent", () => {
    given(create({ ...watched, silent_alive: "stop" }), start("a"))
      .when(observe("a", { silent_ms: REAP_MS, seen: "alive" }))
      .happens("worker.staled", "worker.flagged", {
        kind: "worker.stopping",
        data: { reason: "silent" },
      });
    given(create({ ...watched, silent_alive: "stop" }), start("a"))
      .when(observe("a", { silent_ms: REAP_MS - 1, seen: "alive" }))
      .happens("worker.staled");
  });
});

test("[LV7] nothing is concluded about who is idle or in quarantine (replication D1)", () => {
  const dead = observe("a", { silent_ms: 10 ** 9, seen: "gone" });
  given(create(watched), admit("a")).when(dead).happens();
  given(running, stop("a")).when(dead).happens();
  given(running, quarantine("a")).when(dead).happens();
});

test("[LV8] no worker speaks for another's life, nor for its own (replication B6)", () => {
  const data = {
    worker: idOf("a"),
    beat_count: 1,
    silent_ms: 0,
    watched_ms: 0,
    seen: "alive",
  } as const;
  for (const by of [self("a"), self("b")])
    given(running, start("b"))
      .when(ask("worker.observe", data, { by }))
      .refused("not_authorised");
  given(running)
    .when(ask("worker.observe", data, { by: SUPERVISOR }))
    .happens();
});
