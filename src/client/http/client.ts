import type { CommandKind, CommandMap } from "../../kernel/command.ts";
import type { Contract } from "../../kernel/fleet/contract.ts";
import type { JsonObject } from "../../kernel/json.ts";
import type { WorkerStatus } from "../../kernel/state.ts";
import type { Beat, BeatsAnswer, RollDocument } from "../../ports/bus.ts";
import type {
  IssuedDocument,
  Role,
  SessionDocument,
  TokensDocument,
} from "../../protocol/document/access.ts";
import type {
  ContractDocument,
  FleetDocument,
  LanesDocument,
  ReceiptDocument,
  SupervisorDocument,
} from "../../protocol/document/fleet.ts";
import type { LeaseDocument } from "../../protocol/document/ground.ts";
import type {
  DecidedDocument,
  EntryDocument,
  ExplainedDocument,
} from "../../protocol/document/journal.ts";
import type { Page } from "../../protocol/document/page.ts";
import type { DoomedDocument, WorkerDocument } from "../../protocol/document/worker.ts";
import { followEvents, type EventsOptions, type FleetEvent } from "./events.ts";
import { ClientLine, type ClientOptions, type ClientRequest } from "./line.ts";

/** How a call is made. */
export interface CallOptions {
  /** Gives it up: its reason is thrown. What was asked may be done all the same. */
  readonly signal?: AbortSignal;
}

/** How a call is made that changes something. */
export interface ChangeOptions extends CallOptions {
  /** The same key, path and body are done once; default: a fresh one for each call. */
  readonly key?: string;
}

/** Which part of a list. */
export interface PageOptions extends CallOptions {
  /** `next` of the part before. */
  readonly after?: string;
  readonly limit?: number;
}

/** Which workers. */
export interface WorkersOptions extends PageOptions {
  readonly status?: WorkerStatus;
  readonly name?: string;
  readonly parent?: string;
  readonly stale?: boolean;
}

/** Which leases. */
export interface LeasesOptions extends PageOptions {
  readonly holder?: string;
  readonly lane?: string;
}

/** Which entries. */
export interface JournalOptions extends PageOptions {
  /** The newest about a worker, lease or place, newest first. */
  readonly about?: string;
}

/** A stop. */
export interface StopRequest {
  /** Ids, first characters of ids, or names. */
  readonly workers: readonly string[];
  /** Also their live descendants; default false. */
  readonly tree?: boolean;
  readonly reason?: string;
  /** How long each may take to end by itself, ms. */
  readonly grace_ms?: number;
}

/** A token that is to be issued. */
export interface TokenRequest {
  readonly role: Role;
  readonly label?: string;
  readonly service?: string;
  readonly worker?: string;
  readonly lifetime_ms: number;
}

/**
 * The HTTP API of `stint up`, for browsers and Node. Documents are as they are on the wire, in
 * snake_case. A request that did not come through is given again, under a key that has it done
 * once. Every method throws {@link ClientProblem} when the server says no.
 */
export class StintClient {
  readonly #line: ClientLine;

  constructor(options: ClientOptions) {
    this.#line = new ClientLine(options);
  }

  /** Shows the fleet. */
  fleet(options?: CallOptions): Promise<FleetDocument> {
    return this.#get("/v1/fleet", options);
  }

  /** Shows the supervisor, if one answers. */
  supervisor(options?: CallOptions): Promise<SupervisorDocument> {
    return this.#get("/v1/supervisor", options);
  }

  /** Shows the contract that is in force. */
  contract(options?: CallOptions): Promise<ContractDocument> {
    return this.#get("/v1/contract", options);
  }

  /** Puts a contract in force; what it leaves out has its default. */
  enact(contract: Partial<Contract>, options?: ChangeOptions): Promise<DecidedDocument> {
    return this.#post("/v1/contract", { contract }, options);
  }

  /** Lists live workers, a part at a time. */
  workers(options: WorkersOptions = {}): Promise<Page<WorkerDocument>> {
    return this.#list("/v1/workers", options);
  }

  /** Shows a worker, also one that has ended. */
  worker(id: string, options?: CallOptions): Promise<WorkerDocument> {
    return this.#get(`/v1/workers/${encodeURIComponent(id)}`, options);
  }

  /** Lists a worker, its parent, and so on up to its root. */
  lineage(
    id: string,
    options?: CallOptions,
  ): Promise<{ readonly workers: readonly WorkerDocument[] }> {
    return this.#get(`/v1/workers/${encodeURIComponent(id)}/lineage`, options);
  }

  /** Counts a beat of a worker. */
  beatWorker(
    id: string,
    beat: { readonly progress?: number } = {},
    options?: ChangeOptions,
  ): Promise<{ readonly seq: number }> {
    return this.#post(`/v1/workers/${encodeURIComponent(id)}/beat`, beat, options);
  }

  /** Freezes a worker and keeps it. */
  quarantine(
    id: string,
    why: { readonly reason: string; readonly tree?: boolean },
    options?: ChangeOptions,
  ): Promise<{ readonly seq: number }> {
    return this.#post(`/v1/workers/${encodeURIComponent(id)}/quarantine`, why, options);
  }

  /** Lifts a quarantine. */
  unquarantine(
    id: string,
    how: { readonly resolution?: string } = {},
    options?: ChangeOptions,
  ): Promise<{ readonly seq: number }> {
    return this.#post(`/v1/workers/${encodeURIComponent(id)}/unquarantine`, how, options);
  }

  /** Lists live leases, a part at a time. */
  leases(options: LeasesOptions = {}): Promise<Page<LeaseDocument>> {
    return this.#list("/v1/leases", options);
  }

  /** Shows a live lease. */
  lease(id: string, options?: CallOptions): Promise<LeaseDocument> {
    return this.#get(`/v1/leases/${encodeURIComponent(id)}`, options);
  }

  /** Takes a lease from its holder. */
  revokeLease(id: string, reason: string, options?: ChangeOptions): Promise<DecidedDocument> {
    return this.#post(`/v1/leases/${encodeURIComponent(id)}/revoke`, { reason }, options);
  }

  /** Lists the lanes, and who holds them. */
  lanes(options?: CallOptions): Promise<LanesDocument> {
    return this.#get("/v1/lanes", options);
  }

  /** Reads entries of the journal, a part at a time. */
  journal(options: JournalOptions = {}): Promise<Page<EntryDocument>> {
    return this.#list("/v1/journal", options);
  }

  /** Shows an entry. */
  entry(seq: number, options?: CallOptions): Promise<EntryDocument> {
    return this.#get(`/v1/journal/${seq}`, options);
  }

  /** Says why an entry is as it is. */
  explain(seq: number, options?: CallOptions): Promise<ExplainedDocument> {
    return this.#get(`/v1/journal/${seq}/explanation`, options);
  }

  /** Shows who was expected, who was heard, and when. */
  roll(options?: CallOptions): Promise<RollDocument> {
    return this.#get("/v1/roll", options);
  }

  /** Says that instances of a service are alive; up to 1 000 beats at once. */
  beats(beats: readonly Beat[], options?: ChangeOptions): Promise<BeatsAnswer> {
    return this.#post("/v1/beats", { beats }, options);
  }

  /** Asks the live instances of a name for something. */
  control(
    request: CommandMap["control.request"],
    options?: ChangeOptions,
  ): Promise<DecidedDocument> {
    return this.#post("/v1/control", request, options);
  }

  /** Says who would end by a stop; nothing is written. */
  foreseeStop(
    request: StopRequest,
    options?: ChangeOptions,
  ): Promise<{ readonly doomed: readonly DoomedDocument[] }> {
    return this.#post("/v1/stop?dry_run=true", request, options);
  }

  /** Stops workers, waits for their end, and answers the signed receipt. */
  stop(request: StopRequest, options?: ChangeOptions): Promise<ReceiptDocument> {
    return this.#post("/v1/stop", request, options);
  }

  /** Ends the fleet for good, whose own name must be given. */
  kill(
    request: { readonly fleet: string; readonly reason: string },
    options?: ChangeOptions,
  ): Promise<ReceiptDocument> {
    return this.#post("/v1/kill", request, options);
  }

  /** Has the fleet take nothing new until {@link resume}. */
  pause(reason: string, options?: ChangeOptions): Promise<DecidedDocument> {
    return this.#post("/v1/pause", { reason }, options);
  }

  /** Ends a pause. */
  resume(reason: string, options?: ChangeOptions): Promise<DecidedDocument> {
    return this.#post("/v1/resume", { reason }, options);
  }

  /** Gives one command in the journal's own words. */
  command<K extends CommandKind>(
    kind: K,
    data: CommandMap[K],
    options?: ChangeOptions,
  ): Promise<DecidedDocument> {
    return this.#post("/v1/commands", { kind, data }, options);
  }

  /** Lists the tokens that are live. */
  tokens(options?: CallOptions): Promise<TokensDocument> {
    return this.#get("/v1/tokens", options);
  }

  /** Issues a token; its secret is in this answer and in no other. */
  issueToken(request: TokenRequest, options?: ChangeOptions): Promise<IssuedDocument> {
    return this.#post("/v1/tokens", request, options);
  }

  /** Revokes a token. */
  revokeToken(id: string, options?: ChangeOptions): Promise<DecidedDocument> {
    return this.#ask({ method: "DELETE", path: `/v1/tokens/${encodeURIComponent(id)}` }, options);
  }

  /** Says whose token this client shows. */
  session(options?: CallOptions): Promise<SessionDocument> {
    return this.#get("/v1/session", options);
  }

  /** Revokes the token that this client shows. */
  leave(options?: ChangeOptions): Promise<DecidedDocument> {
    return this.#ask({ method: "DELETE", path: "/v1/session" }, options);
  }

  /** Shows the fleet in numbers, as `stint metrics --json` does. */
  metrics(options?: CallOptions): Promise<JsonObject> {
    return this.#get("/v1/metrics", options);
  }

  /** Follows what happens, across restarts of the server, without loss or duplicate of entries. */
  events(options?: EventsOptions): AsyncGenerator<FleetEvent, void, undefined> {
    return followEvents(this.#line, options);
  }

  #get<T>(path: string, options?: CallOptions): Promise<T> {
    return this.#ask({ method: "GET", path }, options);
  }

  #list<T>(path: string, { signal, ...query }: PageOptions): Promise<T> {
    const asked = { method: "GET", path, query: { ...query } } as const;
    return this.#ask(asked, signal === undefined ? {} : { signal });
  }

  #post<T>(path: string, body: object, options?: ChangeOptions): Promise<T> {
    return this.#ask({ method: "POST", path, body }, options);
  }

  #ask<T>(request: ClientRequest, { signal, key }: ChangeOptions = {}): Promise<T> {
    return this.#line.ask({ ...request, signal, key });
  }
}

/** Exchanges a login code for a session's token. Throws {@link ClientProblem}. */
export function logIn(
  url: string,
  code: string,
  options: Pick<ClientOptions, "fetch"> & CallOptions = {},
): Promise<IssuedDocument> {
  const { signal, ...so } = options;
  const line = new ClientLine({ ...so, url, token: "none" });
  return line.ask({ method: "POST", path: "/v1/login", body: { code }, signal });
}
