/*
 * A second bookkeeping of a fleet, kept from the journal's events alone and written without the
 * kernel's fold: a plain row per worker that was ever admitted, the dead included. What it finds
 * wrong does not depend on the state, on `decide`, or on the kernel's own list of invariants.
 */

import type { Actor } from "../../src/kernel/actor.ts";
import type { Entry, RecordedCommand } from "../../src/kernel/entry.ts";
import type { Event, EventKind } from "../../src/kernel/event.ts";
import type { Contract } from "../../src/kernel/fleet/contract.ts";
import type { Manifest } from "../../src/kernel/worker/manifest.ts";
import { admissionProblems, adoptionProblems } from "./admission-rules.ts";
import type { Books, Problem } from "./books.ts";
import { decisionProblems } from "./decision-rules.ts";
import { LeaseLedger } from "./lease/books.ts";
import { Judge } from "./lease/judge.ts";
import { lifeProblems } from "./life-rules.ts";
import { PlaceLedger } from "./queue/books.ts";
import { grantProblems } from "./queue/line.ts";
import { ServiceLedger } from "./roster/ledger.ts";
import { addBounded, flatAmounts, type FlatAmounts, type Row } from "./row.ts";

type Data<K extends EventKind> = Event<K>["data"];

/** Keeps the books of one journal and checks every entry against them. */
export class Ledger implements Books {
  readonly rows = new Map<string, Row>();
  contract: Contract | null = null;
  isPaused = false;
  killedSeq: number | null = null;
  keyId = "";
  readonly ground = new LeaseLedger();
  readonly queue = new PlaceLedger();
  readonly services = new ServiceLedger();
  readonly #windows = new Map<string, { startedAtMs: number; count: number }>();
  readonly #decided = new Set<string>();
  #last: Pick<Entry, "seq" | "hash" | "at_ms" | "id"> | null = null;

  /** Checks one decision, the entries of one command, and books it. */
  enter(entries: readonly Entry[]): readonly Problem[] {
    const problems: Problem[] = [...decisionProblems(entries, this)];
    const id = entries[0]?.id ?? "";
    if (this.#decided.has(id))
      problems.push({ rule: "SM2", message: `command ${id} is decided a second time` });
    this.#decided.add(id);
    const judge = new Judge(this, entries);
    problems.push(...judge.begin());
    for (const [index, entry] of entries.entries()) {
      problems.push(...judge.before(entry, index));
      for (const message of this.services.check(entry, this.#runningNames()))
        problems.push({ rule: "SM2", message });
      problems.push(...this.#linkProblems(entry));
      problems.push(...lifeProblems(this, entry));
      if (entry.kind === "worker.admitted")
        problems.push(...admissionProblems(this, entry.data.manifest, entry.at_ms));
      if (entry.kind === "worker.adopted") problems.push(...adoptionProblems(this, entry.data));
      problems.push(...grantProblems(this, entry));
      if (entry.kind === "command.refused") problems.push(...this.#countRefusal(entry));
      this.#book(entry);
      this.ground.book(entry);
      this.queue.book(entry);
      this.services.book(entry);
      this.#last = entry;
    }
    problems.push(...judge.end());
    return problems;
  }

  /** The rows of workers that have not ended. */
  live(): readonly Row[] {
    return [...this.rows.values()].filter((row) => row.status !== "stopped");
  }

  /** Names of the workers that run, by id. */
  #runningNames(): ReadonlyMap<string, string> {
    const running = this.live().filter(({ status }) => status === "running");
    return new Map(running.map(({ id, name }) => [id, name]));
  }

  #linkProblems(entry: Entry): readonly Problem[] {
    const last = this.#last ?? { seq: 0, hash: "0".repeat(64), at_ms: 0 };
    const problems: Problem[] = [];
    const lostCount = entry.kind === "fleet.recovered" ? entry.seq - last.seq - 1 : 0;
    if (entry.seq !== last.seq + 1 + lostCount || lostCount < 0)
      problems.push({ rule: "SM2", message: `entry ${entry.seq} follows entry ${last.seq}` });
    if (entry.prev !== last.hash)
      problems.push({ rule: "SM2", message: `entry ${entry.seq} does not name ${last.hash}` });
    if (entry.at_ms < last.at_ms)
      problems.push({ rule: "I11", message: `time fell from ${last.at_ms} to ${entry.at_ms}` });
    return problems;
  }

  /** An actor's refusals in one window, and a party's, never exceed the contract in force. */
  #countRefusal({ actor, at_ms, command, data }: Entry<"command.refused">): readonly Problem[] {
    const { party } = data;
    if (command !== null && party !== askedFor(actor, command))
      return [{ rule: "SM2", message: `it counts for ${party}, not for whom it was asked` }];
    const key = party === undefined ? `${actor.kind}:${actor.id ?? ""}` : `outside:${party}`;
    const known = this.#windows.get(key);
    const window =
      known !== undefined && at_ms - known.startedAtMs < 60_000
        ? known
        : { startedAtMs: at_ms, count: 0 };
    this.#windows.set(key, window);
    window.count += 1;
    const max = this.contract?.refusals_per_minute ?? 0;
    if (window.count <= max) return [];
    return [{ rule: "SM2", message: `${key} has ${window.count} refusals a minute, max ${max}` }];
  }

  #book(entry: Entry): void {
    switch (entry.kind) {
      case "fleet.created":
        this.contract = entry.data.contract;
        this.keyId = entry.data.key.key_id;
        return;
      case "contract.enacted":
        this.contract = entry.data.contract;
        return;
      case "key.rotated":
        this.keyId = entry.data.key.key_id;
        return;
      case "fleet.paused":
        this.isPaused = true;
        return;
      case "fleet.resumed":
        this.isPaused = false;
        return;
      case "fleet.killed":
        this.killedSeq = entry.seq;
        for (const row of this.live()) row.status = "stopping";
        return;
      case "fleet.recovered":
        this.isPaused = true;
        return;
      case "worker.admitted":
        this.#admit(entry.data.manifest, entry.data.manifest.parent, entry.at_ms);
        return;
      case "worker.adopted":
        this.#adopt(entry.data, entry.at_ms);
        return;
      case "worker.reparented":
        this.#reparent(entry.data);
        return;
      case "budget.charged":
        this.#charge(entry.data);
        return;
      default:
        this.#bookLife(entry);
    }
  }

  #bookLife(entry: Entry): void {
    const worker = "worker" in entry.data ? entry.data.worker : undefined;
    const row = worker === undefined ? undefined : this.rows.get(worker);
    if (row === undefined) return;
    switch (entry.kind) {
      case "worker.registered":
        Object.assign(row, { status: "running", isRegistered: true });
        return;
      case "worker.stopping":
        Object.assign(row, { status: "stopping", quarantinedUntilMs: null, isStale: false });
        return;
      case "worker.lapsed":
        row.status = "stopped";
        return;
      case "worker.stopped":
        row.status = "stopped";
        row.used = measured(row.used, entry.data.outcome.cpu_ms);
        return;
      case "worker.staled":
        row.isStale = true;
        return;
      case "worker.recovered":
        row.isStale = false;
        return;
      case "worker.quarantined":
        Object.assign(row, { quarantinedUntilMs: entry.data.until_ms, isStale: false });
        return;
      case "worker.unquarantined":
        row.quarantinedUntilMs = null;
        return;
      default:
    }
  }

  #adopt({ manifest, parent }: Data<"worker.adopted">, atMs: number): void {
    if (!this.rows.has(manifest.instance)) this.#admit(manifest, parent, atMs);
    const row = this.rows.get(manifest.instance);
    if (row === undefined) return;
    row.status = this.killedSeq === null ? "running" : "stopping";
    row.isRegistered = true;
  }

  #admit(manifest: Manifest, parent: string | null, atMs: number): void {
    const { instance, name, depth, network, regions, budget } = manifest;
    this.rows.set(instance, {
      id: instance,
      name,
      bornTo: parent,
      keeper: parent,
      depth,
      network,
      regions,
      status: "admitted",
      isRegistered: false,
      isStale: false,
      quarantinedUntilMs: null,
      registerByMs: manifest.register_by_ms,
      expiresAtMs: manifest.expires_at_ms,
      granted: flatAmounts(budget),
      used: zeros(flatAmounts(budget)),
      lastAdmissionAtMs: null,
    });
    const keeper = parent === null ? undefined : this.rows.get(parent);
    if (keeper === undefined) return;
    keeper.lastAdmissionAtMs = atMs;
    keeper.used = addBounded(keeper.used, { spawns: 1 }, 1);
  }

  /** What is carved for the worker moves along: whoever stands between holds that much less. */
  #reparent({ worker, parent }: Data<"worker.reparented">): void {
    const row = this.rows.get(worker);
    if (row === undefined) return;
    let between = row.keeper === null ? undefined : this.rows.get(row.keeper);
    while (between !== undefined && between.id !== parent) {
      if (between.status !== "stopped")
        between.granted = addBounded(between.granted, row.granted, -1);
      between = between.keeper === null ? undefined : this.rows.get(between.keeper);
    }
    row.keeper = parent;
  }

  #charge({ worker, amounts }: Data<"budget.charged">): void {
    const row = this.rows.get(worker);
    if (row !== undefined) row.used = addBounded(row.used, flatAmounts(amounts), 1);
  }
}

/** A sandbox's own measure of cpu time counts if it is above what was charged. */
function measured(used: FlatAmounts, cpuMs: number | undefined): FlatAmounts {
  const charged = used["cpu_ms"];
  if (cpuMs === undefined || charged === undefined) return used;
  return { ...used, cpu_ms: Math.max(cpuMs, charged) };
}

function zeros(bounds: FlatAmounts): FlatAmounts {
  return Object.fromEntries(Object.keys(bounds).map((key) => [key, 0]));
}

/** The party outside for which an operator asked for a lease. */
function askedFor({ kind }: Actor, command: RecordedCommand): string | undefined {
  if (kind !== "operator" || command.kind !== "lease.acquire") return undefined;
  const { holder } = command.data;
  return "name" in holder ? holder.name : undefined;
}
