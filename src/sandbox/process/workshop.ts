import { existsSync } from "node:fs";
import type { Outcome } from "../../kernel/worker/evidence.ts";
import type { LimitHit } from "../../kernel/worker/limit.ts";
import type { Log } from "../../ports/log.ts";
import type { OutputSink, SandboxLimits, SandboxUse } from "../../ports/sandbox.ts";
import type { Cgroup, CgroupTree, CgroupUse } from "../cgroup/cgroup.ts";
import { findCgroups } from "../cgroup/find.ts";
import { type Struck, StruckNote } from "../folder/struck.ts";
import { HitBook } from "../limit/hit-book.ts";
import type { Children } from "./children.ts";
import type { Felled } from "./end/felled.ts";
import { Gifts } from "./ground/gifts.ts";
import { Enclosure } from "./rung/enclosure.ts";
import type { Lookout } from "./lookout.ts";
import type { Pump } from "./pump.ts";
import type { EnclosureRecord, ProcessRecord } from "./record.ts";
import type { Containment } from "./rung/containment.ts";
import type { HiddenFolders } from "../folder/hidden.ts";
import { shareScans } from "./scan.ts";

/** Processes that Stint puts around a program on the upper rungs: its wrapper, and its keeper. */
const FRAME_PROCESSES = 2;

/** Opens what takes a sandbox's output, and how much of it is kept, bytes, if that was said. */
export type OpenSink = (instance: string, bytesMax: number | undefined) => Promise<OutputSink>;

/** What is inside of a sandbox whose program was let run. */
export interface Inside {
  /** Its first process, by its pid outside. */
  readonly keeper: number;
  /** Its pid namespace, as the link of a process in it reads; null where that cannot be read. */
  readonly namespace: string | null;
}

/** What the parts of a driver share. */
export interface WorkshopParts {
  readonly lookout: Lookout;
  readonly children: Children;
  readonly containment: Containment;
  readonly log: Log;
  /** Whether control groups are used where there are any. */
  readonly usesCgroups: boolean;
  /** A file without which nothing is started. */
  readonly permitFile: string | undefined;
  /** Folders that no sandbox on an upper rung may see. */
  readonly hidden: HiddenFolders;
  /** Files and folders that every sandbox is to see. */
  readonly shown: readonly string[];
  /** Where output goes, if not to a file in the sandbox's folder. */
  readonly output: OpenSink | undefined;
}

/** What the parts of a driver share, and what they know of the sandboxes in their hands. */
export class Workshop {
  readonly parts: WorkshopParts;
  /** The output of what this process started. */
  readonly pumps = new Map<string, Pump>();
  /** What is known of ends, should it not have come to disk. */
  readonly known = new Map<string, Partial<Outcome>>();
  /** What those had used that this process has ended, their control group removed. */
  readonly ended = new Map<string, CgroupUse>();
  /** Those who were alive when all were killed at once, from here or elsewhere. */
  readonly struck = new Map<string, Struck>();
  /** The control groups of what this process started. */
  readonly groups = new Map<string, Cgroup>();
  /** What holds those together whose program this process has let run inside. */
  readonly insides = new Map<string, Inside>();
  /** Groups in which nobody is left, and which nobody has removed yet. */
  readonly emptied = new Map<string, Cgroup>();
  /** What those were let write to of their ground that this process started. */
  readonly gifts: Gifts;
  /** The limits that were hit by what this process started. */
  readonly book = new HitBook();
  readonly #listGroups = shareScans(async () => (await this.#tree())?.list());
  #found: Promise<CgroupTree | undefined> | undefined;
  #striking: Promise<void> | undefined;
  /** Those whom an order that was given here has met. */
  readonly #met = new Set<string>();
  readonly #note: StruckNote;
  #learned: ReadonlyMap<string, Struck> | undefined;

  constructor(parts: WorkshopParts) {
    this.parts = parts;
    this.#note = new StruckNote(parts.lookout.place.root);
    this.gifts = new Gifts(parts.log);
    parts.children.onExit((instance) => this.gifts.forget(instance));
  }

  /** Drops what is known of a sandbox, but for its output. */
  forget(instance: string): void {
    const { known, ended, struck, groups, insides } = this;
    for (const one of [known, ended, struck, groups, insides]) one.delete(instance);
    this.#met.delete(instance);
    this.book.drop(instance);
  }

  /** What a claim says of the enclosure that is to be; undefined on the lowest rung. */
  newEnclosure(): EnclosureRecord | undefined {
    const { rung, cgroups } = this.parts.containment;
    if (rung === "process-group") return undefined;
    return { rung, has_cgroup: cgroups !== undefined, init: null, namespace: null };
  }

  /** The control group of a sandbox; undefined where it has none, or none can be reached. */
  async cgroupOf(record: ProcessRecord | undefined): Promise<Cgroup | undefined> {
    if (record?.enclosure?.has_cgroup !== true) return undefined;
    const known = this.groups.get(record.instance);
    if (known !== undefined) return known;
    const tree = await this.#tree();
    // Another process's place in the groups of this host may be another.
    const isFound = this.parts.children.isOwn(record.instance) || tree?.has(record.instance);
    if (isFound !== true) await this.#listGroups();
    return tree?.open(record.instance);
  }

  /** Kills what is in the control groups of the fleet, where there are any, by one order. */
  async strike(by: string): Promise<void> {
    const striking = this.#strike("known", by);
    this.#striking = striking.catch(() => undefined);
    await striking;
    await this.#strike("elsewhere", by);
  }

  async #strike(where: "known" | "elsewhere", by: string): Promise<void> {
    const tree = await this.#tree();
    const found = new Set<string>();
    const onFound = (counts: ReadonlyMap<string, number>): void => {
      for (const instance of counts.keys()) found.add(instance);
      this.#noteStruck(counts, by);
    };
    await tree?.kill(where, { isMet: (instance) => this.#met.has(instance), onFound });
    for (const instance of found) this.#met.add(instance);
  }

  #noteStruck(counts: ReadonlyMap<string, number>, by: string): void {
    for (const [instance, count] of counts) this.struck.set(instance, { count, by });
    try {
      this.#note.add(counts, by);
    } catch (error) {
      // A full disk, say: their ends are no less true, only less is told of them after a crash.
      this.parts.log.warn("those who are killed could not be noted", { error: String(error) });
    }
  }

  /** Takes in whom others have killed at once. */
  learnStruck(): void {
    const noted = this.#note.read();
    if (noted === this.#learned) return;
    this.#learned = noted;
    for (const [instance, one] of noted)
      if (!this.struck.has(instance) && existsSync(this.parts.lookout.folder(instance)))
        this.struck.set(instance, one);
  }

  /** One that was killed with all others, as this process knows it; undefined where it does not. */
  felled(instance: string): Felled | undefined {
    const [struck, cgroup] = [this.struck.get(instance), this.groups.get(instance)];
    const namespace = this.insides.get(instance)?.namespace ?? null;
    if (struck === undefined || cgroup === undefined || namespace === null) return undefined;
    return { instance, cgroup, namespace, killedCount: struck.count };
  }

  /** Waits until a strike that is under way has met what this process knows of. Never rejects. */
  async untilStruck(): Promise<void> {
    await this.#striking;
  }

  /** What holds a sandbox on an upper rung together; undefined on the lowest. */
  async enclosureOf(record: ProcessRecord | undefined): Promise<Enclosure | undefined> {
    const enclosure = record?.enclosure;
    if (record === undefined || enclosure === undefined) return undefined;
    const isOfThisBoot = this.parts.lookout.isOfThisBoot(record);
    const cgroup = await this.cgroupOf(record);
    return new Enclosure({ record, enclosure, isOfThisBoot, cgroup });
  }

  /** Removes the empty control groups of sandboxes that were forgotten or never came to be. */
  async clearGroups(): Promise<void> {
    const { containment, log } = this.parts;
    for (const name of (await containment.cgroups?.listKnown()) ?? []) {
      await this.#clearGroup(name).catch((error: unknown) => {
        // It came to be used meanwhile, or is not this user's: that holds up no listing.
        log.info("a control group was left", { instance: name, error: String(error) });
      });
    }
  }

  async #clearGroup(name: string): Promise<void> {
    if (existsSync(this.parts.lookout.folder(name)) || this.emptied.has(name)) return;
    const group = this.parts.containment.cgroups?.open(name);
    if ((await group?.isEmpty()) === true) await group?.remove();
  }

  /** Also for a driver of the lowest rung: it ends what others have started higher up. */
  #tree(): Promise<CgroupTree | undefined> {
    const { containment, lookout, usesCgroups } = this.parts;
    if (containment.cgroups !== undefined) return Promise.resolve(containment.cgroups);
    if (!usesCgroups) return Promise.resolve(undefined);
    this.#found ??= findCgroups(lookout.place.fleet);
    return this.#found;
  }
}

/** The limits of a group, for those of the worker in it. */
export function withFrame(limits: SandboxLimits): SandboxLimits {
  const { processes } = limits;
  return processes === undefined ? limits : { ...limits, processes: processes + FRAME_PROCESSES };
}

/** What a worker has hit, for what its group has. */
export function hitsWithoutFrame(hits: readonly LimitHit[]): readonly LimitHit[] {
  return hits.map((hit) => {
    if (hit.limit !== "processes") return hit;
    const [value, use] = [hit.value, hit.use].map((one) => Math.max(0, one - FRAME_PROCESSES));
    return { ...hit, value: value ?? 0, use: use ?? 0 };
  });
}

/** What a worker uses, for what its group does. */
export function withoutFrame(use: SandboxUse): SandboxUse {
  const { memory_bytes, processes, cpu_ms } = use;
  return {
    ...(memory_bytes === undefined ? {} : { memory_bytes }),
    ...(processes === undefined ? {} : { processes: Math.max(0, processes - FRAME_PROCESSES) }),
    ...(cpu_ms === undefined ? {} : { cpu_ms }),
  };
}
