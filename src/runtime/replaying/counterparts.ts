/*
 * What of the record is what of the hypothesis. A lease that both grant in answer to one command
 * has one id and one fence in both: the hypothesis takes the place of the recorded grant for its
 * own. Only where the hypothesis answers with a lease that its holder has already is there another
 * id, another fence and another token; what was recorded about the one is asked about the other.
 */

import type { CommandMap, Submission } from "../../kernel/command.ts";
import type { Entry } from "../../kernel/entry.ts";
import type { Event, EventMap } from "../../kernel/event.ts";
import { fenceAt, leaseIdAt, type Claim, type Lease } from "../../kernel/lease/lease.ts";
import { placeIdAt } from "../../kernel/queue/place.ts";
import type { RefusalCode } from "../../kernel/refusal.ts";
import { isReservation, type State, type Worker } from "../../kernel/state.ts";
import type { Manifest } from "../../kernel/worker/manifest.ts";

/** A recorded grant: its place, its epoch, and what was granted. */
export interface RecordedGrant {
  readonly seq: number;
  readonly epoch: number;
  readonly data: EventMap["lease.granted"];
}

/** Workers, leases and places in the queue of a record, as the hypothesis knows them. */
export class Counterparts {
  /** All that ever began in the hypothesis. */
  readonly #lived = new Set<string>();
  /** What began in the record and not in the hypothesis. */
  readonly #absent = new Set<string>();
  readonly #leases = new Map<string, string>();
  readonly #fences = new Map<number, number>();
  readonly #tokens = new Map<string, string>();
  /** What a recorded place in the queue has come to here, where nobody waits in it any more. */
  readonly #places = new Map<string, string>();

  /** Whether it ever began in the hypothesis. */
  hasLived(id: string): boolean {
    return this.#lived.has(id);
  }

  /** Whether it began in the record alone. */
  isAbsent(id: string): boolean {
    return this.#absent.has(id);
  }

  /** Notes what begins in the hypothesis by an event at a seq. */
  begin(event: Event, seq: number): void {
    const id = beginningOf(event, seq);
    if (id === undefined) return;
    this.#lived.add(id);
    if (event.kind === "lease.granted" && event.data.place !== undefined)
      this.#places.set(event.data.place, id);
  }

  /** Notes what begins by a recorded entry, once the hypothesis has answered its command. */
  record(entry: Entry): void {
    const id = beginningOf(entry, entry.seq);
    if (id === undefined) return;
    const place = entry.kind === "lease.granted" ? entry.data.place : undefined;
    // It has come to the same in both: who keeps it up once more is answered by that in both.
    if (place !== undefined && this.#places.get(place) === id) this.#places.delete(place);
    if (this.#lived.has(id) || this.#leases.has(id)) return;
    this.#absent.add(id);
  }

  /** Notes that what was waited for in a recorded place is had in the hypothesis, as a lease. */
  settle(placeSeq: number, lease: string): void {
    this.#places.set(placeIdAt(placeSeq), lease);
  }

  /** The lease that a recorded place has come to; undefined while it is waited in, as recorded. */
  leaseOfPlace(place: string): string | undefined {
    return this.#places.get(place);
  }

  /** Notes that a recorded grant is a lease that its holder has already, in the hypothesis. */
  match({ seq, epoch, data }: RecordedGrant, lease: Lease): void {
    this.#leases.set(leaseIdAt(seq), lease.id);
    this.#fences.set(fenceAt(epoch, seq), lease.fence);
    if ("worker" in data.holder || "worker" in lease.holder) return;
    this.#tokens.set(data.holder.token_hash, lease.holder.token_hash);
  }

  /**
   * A recorded submission as it would be given in the hypothesis, without what was looked up for
   * it; `refused` says by which code it was on record.
   */
  translate(
    recorded: Submission,
    so: { readonly state: State; readonly refused: RefusalCode | undefined },
  ): Submission {
    const { ended: _, ...submission } = recorded;
    const { command } = submission;
    const { state, refused } = so;
    // One that was found to say something else is not the fleet's own: so it stays.
    if (command.kind === "worker.register" && refused !== "manifest_invalid") {
      const data = reissuedIn(command.data, { state, isInTime: refused === undefined });
      return { ...submission, command: { kind: command.kind, data } };
    }
    if (this.#leases.size === 0) return submission;
    // Any command's data is an object; only fields that mean the same in all of them are looked at.
    const data = command.data as Partial<CommandMap["lease.renew"]>;
    const changed = {
      ...data,
      ...(data.lease === undefined ? {} : { lease: this.#leases.get(data.lease) ?? data.lease }),
      ...(data.fence === undefined ? {} : { fence: this.#fences.get(data.fence) ?? data.fence }),
      ...(data.claim === undefined ? {} : { claim: this.#claimOf(data.claim) }),
    };
    return { ...submission, command: { kind: command.kind, data: changed } as typeof command };
  }

  #claimOf(claim: Claim): Claim {
    if ("worker" in claim || claim.token_hash === undefined) return claim;
    const token_hash = this.#tokens.get(claim.token_hash) ?? claim.token_hash;
    return { ...claim, token_hash };
  }
}

/** The worker, lease or place that begins by an event. */
function beginningOf(event: Event, seq: number): string | undefined {
  if (event.kind === "lease.granted") return leaseIdAt(seq);
  if (event.kind === "place.queued") return placeIdAt(seq);
  if (event.kind === "worker.admitted" || event.kind === "worker.adopted")
    return event.data.manifest.instance;
  if (event.kind === "token.issued") return event.data.token;
  if (event.kind === "token.exchanged") return event.data.into.token;
  return undefined;
}

/**
 * A registration with the manifest that the hypothesis has issued: who took up the one would have
 * been given the other. One that was not the fleet's own stays as it is.
 */
function reissuedIn(
  request: CommandMap["worker.register"],
  so: { readonly state: State; readonly isInTime: boolean },
): CommandMap["worker.register"] {
  const { manifest, envelope } = request;
  if (manifest === null || envelope !== "valid") return request;
  const { workers, contract } = so.state;
  const worker = workers.get(manifest.instance);
  if (worker !== undefined && isReservation(worker))
    return { ...request, manifest: issuedFor(worker, manifest) };
  if (!so.isInTime) return request;
  // It was in time on record, and is dropped here: the time that it had here was over.
  const by = manifest.issued_at_ms + contract.register_within_ms;
  const register_by_ms = Math.min(manifest.register_by_ms, by);
  return { ...request, manifest: { ...manifest, register_by_ms } };
}

function issuedFor(worker: Worker, manifest: Manifest): Manifest {
  return {
    ...manifest,
    parent: worker.parent,
    root: worker.root,
    depth: worker.depth,
    name: worker.name,
    network: worker.network,
    budget: worker.granted,
    regions: worker.regions,
    state: worker.state,
    issued_at_ms: worker.admitted_at_ms,
    register_by_ms: worker.register_by_ms,
    expires_at_ms: worker.expires_at_ms,
    contract_hash: worker.contract_hash,
  };
}
