import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../src/kernel/limits.ts";
import { OrderedMap } from "../../../src/kernel/ordered-map.ts";
import { decide } from "../../../src/kernel/decide.ts";
import { rollKey, rowsOf, type RollRow } from "../../../src/kernel/roster/roll.ts";
import { EMPTY_ROSTER, everyOf, type Expected } from "../../../src/kernel/roster/roster.ts";
import { judge, type Sighting } from "../../../src/kernel/roster/sighting.ts";
import {
  after,
  ask,
  create,
  exited,
  given,
  idOf,
  kill,
  pause,
  start,
  stop,
  SUPERVISOR,
} from "../../support/scenario.ts";
import {
  control,
  enactRoster,
  forget,
  heard,
  noteService,
  sighting,
} from "../../support/service-scenario.ts";

const born = create();

function statusOf(play: { readonly state: { readonly roll: OrderedMap<RollRow> } }, key: string) {
  return play.state.roll.get(key)?.status;
}

describe("[RO1] a roster is enacted as a whole", () => {
  test("and replaces the one before; the same again writes nothing", () => {
    const play = given(born, enactRoster("api", "web"), enactRoster("web")).play;
    expect(play.state.roster.expected.map(({ name }) => name)).toEqual(["web"]);
    given(born, enactRoster("web")).when(enactRoster("web")).happens();
  });

  test.each([
    ["a name that stands twice", enactRoster("api", "web", "api")],
    ["the supervisor's own name", enactRoster("stint")],
    ["a unit and a command that starts it", enactRoster({ unit: "a.service", start: ["a"] })],
    ["a unit and a command that stops it", enactRoster({ unit: "a.service", stop: ["a"] })],
  ])("%s is refused", (_, step) => {
    given(born).when(step).refused("roster_invalid");
  });
});

describe("[RO2] how an instance stands is judged from what was heard of it", () => {
  test.each([
    ["up", 0, "ok"],
    ["up", 29_999, "ok"],
    ["up", 30_000, "stale"],
    ["stopping", 29_999, "stopping"],
    ["stopping", 30_000, "stale"],
    ["stopped", 0, "stopped"],
    ["stopped", 9_999_999, "stopped"],
  ] as const)("it said %s and was silent for %i ms: %s", (said, silent_ms, status) => {
    expect(judge(sighting("api/1", { said, silent_ms }), 10_000).status).toBe(status);
    const { play } = given(born).when(heard("api/1", { said, silent_ms }));
    expect(statusOf(play, "api/1")).toBe(status);
  });

  test("the roster's interval wins over the one that an instance declares", () => {
    const slow = { every_ms: 3_600_000, silent_ms: 3_000 };
    expect(statusOf(given(born, heard("api/1", slow)).play, "api/1")).toBe("ok");
    const rostered = [born, enactRoster({ name: "api", every_ms: 1_000 })] as const;
    expect(statusOf(given(...rostered, heard("api/1", slow)).play, "api/1")).toBe("stale");
    expect(everyOf(EMPTY_ROSTER, "api")).toBe(LIMITS.rollEveryMsDefault);
  });
});

describe("[RO3] the roll has a change of status in an entry, and nothing else", () => {
  test("each sighting that is judged otherwise is one", () => {
    const seen = [
      sighting("api/1", { beat_count: 7 }),
      sighting("api/2", { silent_ms: 30_000 }),
      sighting("api/1", { said: "stopped" }),
      sighting("api/2"),
    ];
    const step = ask("roll.observe", { sightings: seen }, { by: SUPERVISOR });
    const play = given(born, heard("api/1"))
      .when(step)
      .happens(
        { kind: "roll.changed", data: { instance: "2", from: "unknown", to: "stale" } },
        { kind: "roll.changed", data: { instance: "1", from: "ok", to: "stopped" } },
        { kind: "roll.changed", data: { instance: "2", from: "stale", to: "ok" } },
      );
    expect(statusOf(play, "api/1")).toBe("stopped");
  });

  test("a row knows since when it is known, and since when it stands so", () => {
    const { play } = given(
      born,
      heard("api/1"),
      after(40_000),
      heard("api/1", { said: "stopping" }),
    );
    const row = play.state.roll.get("api/1");
    expect(row).toMatchObject({ since_ms: play.atMs, first_ms: play.atMs - 40_000 });
  });

  test("hearing the same again writes nothing, in a fleet that is paused or killed too", () => {
    given(born, heard("api/1"))
      .when(heard("api/1", { silent_ms: 5 }))
      .happens();
    for (const end of [pause, kill]) {
      const { play } = given(born, heard("api/1"), end).when(heard("api/1", { said: "stopped" }));
      expect(statusOf(play, "api/1")).toBe("stopped");
    }
  });

  test("one that came back after its goodbye stands as it beats", () => {
    const { play } = given(born, heard("api/1", { said: "stopped" }), heard("api/1"));
    expect(statusOf(play, "api/1")).toBe("ok");
  });
});

describe("[RO4] the roll has bounds", () => {
  /** Who of these is written down, where names have as many rows and the roster is this. */
  function writtenOf(
    rowsOfNames: Readonly<Record<string, number>>,
    seen: readonly Sighting[],
    ...expected: readonly Partial<Expected>[]
  ): readonly string[] {
    const { play } = given(born, heard("api/1"), enactRoster(...expected));
    const known = play.state.roll.get("api/1") as RollRow;
    const rows = Object.entries(rowsOfNames).flatMap(([name, count]) =>
      Array.from({ length: count }, (_, index): readonly [string, RollRow] => {
        const row = { ...known, name, instance: `${index}` };
        return [rollKey(row), row];
      }),
    );
    const roll = OrderedMap.fromEntries(rows.toSorted(([a], [b]) => (a < b ? -1 : 1)));
    const command = { kind: "roll.observe", data: { sightings: seen } } as const;
    const asked = { id: "c", actor: SUPERVISOR, command };
    const { events } = decide({ ...play.state, roll }, asked, play.atMs);
    return events.flatMap((event) =>
      event.kind === "roll.changed" ? [`${event.data.name}/${event.data.instance}`] : [],
    );
  }

  /** Names of which none has all it can have. */
  function crowd(rowCount: number): Readonly<Record<string, number>> {
    const count = 40;
    const names = Array.from({ length: count }, (_, index): readonly [string, number] => {
      const each = Math.floor(rowCount / count);
      return [`n${index}`, index === 0 ? rowCount - each * (count - 1) : each];
    });
    return Object.fromEntries(names);
  }

  const known = sighting("n0/7", { said: "stopped" });

  test("beyond as many rows as are kept none is added, others are judged on", () => {
    const seen = [sighting("new/1"), sighting("new/2"), known];
    expect(writtenOf(crowd(LIMITS.rollRowsMax), seen)).toEqual(["n0/7"]);
    expect(writtenOf(crowd(LIMITS.rollRowsMax - 1), seen)).toEqual(["new/1", "n0/7"]);
  });

  test("beyond as many of a name none of it is added, those of others are", () => {
    const full = { api: LIMITS.rollInstancesMax };
    const seen = [sighting("api/new"), sighting("api/7", { said: "stopped" }), sighting("web/1")];
    expect(writtenOf(full, seen)).toEqual(["api/7", "web/1"]);
    const less = { api: LIMITS.rollInstancesMax - 1 };
    expect(writtenOf(less, [sighting("api/x"), sighting("api/y")])).toEqual(["api/x"]);
  });

  test("what a name of the roster is still to have is kept free for it", () => {
    const roster = [{ name: "api", instances: 3 }];
    const seen = ["made-up/1", "api/1", "api/2", "api/3", "api/4"].map((one) => sighting(one));
    const all = LIMITS.rollRowsMax;
    expect(writtenOf(crowd(all - 3), seen, ...roster)).toEqual(["api/1", "api/2", "api/3"]);
    expect(writtenOf(crowd(all - 4), seen, ...roster)).toEqual([
      "made-up/1",
      "api/1",
      "api/2",
      "api/3",
    ]);
    const some = { ...crowd(all - 3), api: 1 };
    expect(writtenOf(some, seen.toReversed(), ...roster)).toEqual(["api/4", "api/3"]);
  });
});

test("[RO5] only who has stopped or is stale is forgotten", () => {
  const rows = [
    heard("api/up"),
    heard("api/going", { said: "stopping" }),
    heard("api/gone", { said: "stopped" }),
    heard("api/silent", { silent_ms: 30_000 }),
  ];
  const all = forget("api/up", "api/going", "api/gone", "api/silent", "api/none", "api/gone");
  const gone = ["gone", "silent"].map((instance) => ({ name: "api", instance }));
  const play = given(born, rows)
    .when(all)
    .happens({ kind: "roll.forgotten", data: { instances: gone } });
  expect([...play.state.roll.keys()]).toEqual(["api/going", "api/up"]);
  given(born, rows).when(forget("api/up")).happens();
});

describe("[CQ1] a request reaches whoever of a name lives when it is decided", () => {
  const rows = [
    heard("api/a"),
    heard("api/b", { silent_ms: 30_000 }),
    heard("api/c", { said: "stopping" }),
    heard("api/d", { said: "stopped" }),
    heard("api-2/a"),
  ];
  const workers = [start("api"), start("other")];

  test("instances that have not said goodbye, and workers that run", () => {
    given(born, rows, ...workers)
      .when(control("api", { data: { level: 3 } }))
      .happens({
        kind: "control.requested",
        data: {
          name: "api",
          action: "reload",
          ttl_ms: 60_000,
          instances: ["a", "b", "c"],
          workers: [idOf("api")],
          data: { level: 3 },
        },
      });
  });

  test("or the one that is named, an instance or a worker", () => {
    const one = (instance: string) => {
      const { play } = given(born, rows, ...workers).when(control("api", { instance }));
      return play.entries.at(-1)?.data;
    };
    expect(one("b")).toMatchObject({ instances: ["b"], workers: [] });
    expect(one(idOf("api"))).toMatchObject({ instances: [], workers: [idOf("api")] });
  });

  test.each([
    ["nobody of the name", control("web")],
    ["one that has stopped", control("api", { instance: "d" })],
    ["another's instance", control("api", { instance: idOf("other") })],
  ])("%s is refused", (_, step) => {
    given(born, rows, ...workers)
      .when(step)
      .refused("instance_unknown");
  });

  test("a worker that is told to stop, or has ended, is not asked", () => {
    given(born, start("api"), stop("api")).when(control("api")).refused("instance_unknown");
    given(born, start("api"), exited("api")).when(control("api")).refused("instance_unknown");
  });
});

test("[CQ2] one request reaches so many, and says how many it leaves out", () => {
  const names = Array.from({ length: 300 }, (_, index) => sighting(`api/${1_000 + index}`));
  const seen = [names.slice(0, 256), names.slice(256)].map((sightings) =>
    ask("roll.observe", { sightings }, { by: SUPERVISOR }),
  );
  const { play } = given(born, seen, start("api")).when(control("api"));
  const data = play.entries.at(-1)?.data as { readonly instances: readonly string[] };
  expect(data).toMatchObject({ workers: [], left_out_count: 45 });
  expect(data.instances).toHaveLength(LIMITS.controlTargetsMax);
  expect(rowsOf(play.state.roll, "api")).toHaveLength(300);
});

test("[CQ3] what came of a service is on record, of one that the roster has", () => {
  const note = { name: "api", action: "start", outcome: "started", took_ms: 12 } as const;
  const rostered = [born, enactRoster("api")] as const;
  given(...rostered)
    .when(noteService("api"))
    .happens({ kind: "service.acted", data: note });
  given(...rostered, kill)
    .when(noteService("api"))
    .happens({ kind: "service.acted", data: note });
  given(...rostered)
    .when(noteService("web"))
    .refused("service_unknown");
});
