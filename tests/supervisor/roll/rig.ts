// What tests of the roll stand on: a real loop on a journal in memory, a hub, and clocks that obey.
import type { Command } from "../../../src/kernel/command.ts";
import type { Expected } from "../../../src/kernel/roster/roster.ts";
import type { Seat } from "../../../src/library/seat.ts";
import type { Beat, BusIdentity, InstanceRow, NameRow } from "../../../src/ports/bus.ts";
import { memoryPulse } from "../../../src/pulse/memory.ts";
import type { Loop } from "../../../src/runtime/loop.ts";
import { SupervisorBus } from "../../../src/supervisor/bus/bus.ts";
import { seededRandom } from "../../../src/testing/seeded-random.ts";
import { granted, OPERATOR, Rig } from "../../runtime/rig.ts";

const AS_OPERATOR: BusIdentity = { kind: "operator" };

/** A bus of a supervisor that is none, on clocks that stand still until they are moved. */
export class RollRig {
  readonly rig = new Rig();
  readonly pulse = memoryPulse({ clock: this.rig.clock, random: seededRandom("roll") });
  loop!: Loop;
  bus!: SupervisorBus;

  static async make(expected: readonly Partial<Expected>[] = []): Promise<RollRig> {
    const made = new RollRig();
    made.loop = await made.rig.found();
    if (expected.length > 0) await made.expect(expected);
    await made.begin();
    return made;
  }

  /** Puts a roster in force. */
  async expect(expected: readonly Partial<Expected>[]): Promise<void> {
    const whole = expected.map((one) => ({ name: "api", every_ms: 10_000, instances: 1, ...one }));
    await this.command({ kind: "roster.enact", data: { expected: whole } });
  }

  async command(command: Command): Promise<void> {
    await granted(this.loop.submit(command, OPERATOR));
    await this.rig.timers.settle();
  }

  /** Begins a bus, as a supervisor that starts does. */
  async begin(): Promise<void> {
    this.bus = new SupervisorBus(this.seat, { version: "0" });
    await this.bus.begin();
    const { bus } = this;
    this.#unhear = this.loop.onEntry((entry) => bus.hear(entry));
    await this.rig.timers.settle();
  }

  #unhear: () => void = () => undefined;

  /** The supervisor dies: nothing more is heard, and nothing is said. */
  die(): void {
    this.#unhear();
    this.bus.hub.close();
    // Its timers go with it.
    this.rig.timers.clear();
  }

  get seat(): Seat {
    const { rig, loop, pulse } = this;
    const { clock, timers, log, journal } = rig;
    return {
      clock,
      timers,
      log,
      loop,
      random: seededRandom("seat"),
      fleet: "f-tests",
      host: { id: "h-tests", uid: 1, user: "u" },
      store: { journal, pulse },
      // What a roll does not ask for is not there.
    } as unknown as Seat;
  }

  beat(so: Partial<Beat> = {}, from = AS_OPERATOR): void {
    this.give([{ name: "api", instance: "1", ...so }], from);
  }

  give(beats: readonly unknown[], from = AS_OPERATOR) {
    return this.bus.desk.take(from, beats);
  }

  async pass(ms: number): Promise<void> {
    await this.rig.timers.advance(ms);
    await this.rig.timers.settle();
  }

  /** Time passes, and some beat every second. */
  async beating(beats: readonly Partial<Beat>[], ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += 1_000) {
      for (const one of beats) this.beat(one);
      await this.pass(1_000);
    }
  }

  async name(name: string): Promise<NameRow | undefined> {
    const { sections } = await this.bus.document();
    const { expected, unexpected, workers } = sections;
    return [...expected, ...unexpected, ...workers].find((row) => row.name === name);
  }

  async instance(name: string, instance: string): Promise<InstanceRow | undefined> {
    return (await this.name(name))?.instances.find((row) => row.instance === instance);
  }

  /** What the journal says of instances, in few words. */
  async changes(): Promise<readonly string[]> {
    const entries = await this.rig.entries();
    return entries.flatMap((entry) =>
      entry.kind === "roll.changed"
        ? [`${entry.data.name}/${entry.data.instance} ${entry.data.from} ${entry.data.to}`]
        : [],
    );
  }

  async end(): Promise<void> {
    await this.bus.close();
    await this.loop.close();
  }
}
