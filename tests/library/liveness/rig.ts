// A fleet whose clock stands still until a test moves it, with a repository as a test says it is.

import type { Fleet, FleetOptions } from "stint";
import { expect } from "vitest";
import type { Command } from "../../../src/kernel/command.ts";
import { thisMachine } from "../../../src/compose/library.ts";
import { memoryJournal } from "../../../src/journal/memory.ts";
import { openFleetIn } from "../../../src/library/fleet/open-fleet.ts";
import type { OpenStore } from "../../../src/library/fleet/store.ts";
import type { LivenessView } from "../../../src/library/liveness/view.ts";
import { memoryPermit } from "../../../src/permit/permit.ts";
import type { CommitsRead, SeenCommit } from "../../../src/ports/ground/commits.ts";
import type { Journal } from "../../../src/ports/journal.ts";
import { memoryPulse } from "../../../src/pulse/memory.ts";
import { openLoop } from "../../../src/runtime/open-loop.ts";
import { openSigner } from "../../../src/signing/signer.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { closeAfterwards, granted, ROOMY, SECRET } from "../rig.ts";

/** A minute, ms. */
export const MINUTE = 60_000;

/** A fleet under a clock of the test's, and what its repository has. */
export interface Scene {
  readonly fleet: Fleet;
  readonly clock: FakeClock;
  /** What the repository has; null: there is none. */
  commits: SeenCommit[] | null;
  /** How the processes of workers are seen. */
  seen: "alive" | "gone" | "unknown";
  /** Has a worker run, which beats from now on whenever time is let pass. */
  work(name: string): Promise<string>;
  /** Another handle on the same fleet, as another process has one. */
  another(): Promise<Fleet>;
  /** Lets time pass, in steps in which workers beat and leases are renewed by nobody. */
  pass(ms: number): Promise<void>;
  /** Has a worker say something by itself, as through its socket. */
  say(worker: string, command: Command): Promise<void>;
  /** Ends the beats of a worker. */
  silence(id: string): void;
  /** Verdict and rule of one, as a text. */
  told(reference: string): Promise<string>;
  /** What is known of one. */
  view(reference: string): Promise<LivenessView>;
}

/** Opens a scene; `journal` may stand between the fleet and its journal. */
export async function openScene(
  options: Partial<FleetOptions> = {},
  between: (journal: Journal) => Journal = (journal) => journal,
): Promise<Scene> {
  const clock = new FakeClock();
  const machine = thisMachine();
  const { random } = machine;
  const store: OpenStore = {
    journal: between(memoryJournal({ clock })),
    pulse: memoryPulse({ clock, random }),
    permit: memoryPermit(),
    close: async () => undefined,
  };
  const readCommits = async (): Promise<CommitsRead> =>
    scene.commits === null
      ? { ok: false, why: "there is no repository" }
      : { ok: true, commits: scene.commits, isCut: false };
  const open = (): Promise<Fleet> =>
    openFleetIn(
      { ...machine, clock, readCommits, host: { ...machine.host, look: () => scene.seen } },
      {
        store: { kind: "memory", open: async () => store },
        secret: SECRET,
        contract: { ...ROOMY, lifetimeMs: 24 * 60 * MINUTE },
        steward: false,
        ...options,
      },
    );
  const fleet = await open();
  closeAfterwards(fleet);
  const beating = new Set<string>();
  const scene: Scene = {
    fleet,
    clock,
    commits: [],
    seen: "alive",
    another: async () => {
      const other = await open();
      closeAfterwards(other);
      return other;
    },
    work: async (name) => {
      const { envelope } = granted(await fleet.issueManifest({ name }));
      const { worker } = granted(await fleet.register(envelope));
      beating.add(worker.id);
      await fleet.heartbeat(worker.id);
      return worker.id;
    },
    pass: async (ms) => {
      clock.advance(ms);
      for (const id of beating) await fleet.heartbeat(id);
    },
    say: (id, command) => sayAs(store, id, command),
    silence: (id) => void beating.delete(id),
    told: async (reference) => {
      const { verdict, rule } = await scene.view(reference);
      return `${verdict}: ${rule}`;
    },
    view: async (reference) => {
      const [view, ...others] = await fleet.liveness(reference);
      expect(others).toEqual([]);
      if (view === undefined) throw new Error(`${reference} must be judged, nobody was`);
      return view;
    },
  };
  return scene;
}

async function sayAs({ journal }: OpenStore, id: string, command: Command): Promise<void> {
  const { random } = thisMachine();
  const signer = openSigner(SECRET);
  const loop = await openLoop({ journal, signer, random, signsOnClose: false });
  const said = await loop.submit(command, { kind: "worker", id, via: "socket" });
  await loop.close();
  expect(said).toMatchObject({ ok: true });
}

/** A commit on a branch, at an instant. */
export function commit(atMs: number, path: string, ref = "refs/heads/main"): SeenCommit {
  return { id: "0ab1c2d", atMs, ref, paths: [path] };
}

/** A journal's methods as those of a plain object, so that some can be put in their place. */
export function bound<T extends object>(journal: T): T {
  const methods: Record<string, unknown> = {};
  for (let at: object = journal; at !== Object.prototype; at = Object.getPrototypeOf(at) as object)
    for (const name of Object.getOwnPropertyNames(at)) {
      const value: unknown = Reflect.get(journal, name);
      if (name === "constructor" || Object.hasOwn(methods, name)) continue;
      if (typeof value === "function") methods[name] = value.bind(journal);
    }
  return methods as T;
}
