// The door to the HTTP API of `stint up`, typed, for browsers and Node: it needs `fetch`, and
// nothing of Node.

export {
  logIn,
  StintClient,
  type CallOptions,
  type ChangeOptions,
  type JournalOptions,
  type LeasesOptions,
  type PageOptions,
  type StopRequest,
  type TokenRequest,
  type WorkersOptions,
} from "./client/http/client.ts";
export type { EventsOptions, FleetEvent } from "./client/http/events.ts";
export type { ClientOptions } from "./client/http/line.ts";
export { ClientProblem } from "./client/http/problem.ts";
export type {
  IssuedDocument,
  Role,
  SessionDocument,
  TokenDocument,
  TokensDocument,
} from "./protocol/document/access.ts";
export type {
  ContractDocument,
  FleetDocument,
  LanesDocument,
  ReceiptDocument,
  SupervisorDocument,
} from "./protocol/document/fleet.ts";
export type { LaneDocument, LeaseDocument } from "./protocol/document/ground.ts";
export type {
  DecidedDocument,
  EntryDocument,
  ExplainedDocument,
} from "./protocol/document/journal.ts";
export type { Page } from "./protocol/document/page.ts";
export type { ProblemDocument } from "./protocol/document/problem.ts";
export type {
  DoomedDocument,
  WorkerDocument,
  WorkerEndDocument,
} from "./protocol/document/worker.ts";
export type {
  Beat,
  BeatsAnswer,
  Envelope,
  InstanceRow,
  NameRow,
  RollDocument,
} from "./ports/bus.ts";
