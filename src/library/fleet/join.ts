import { readFile } from "node:fs/promises";
import { join as joinPath } from "node:path";
import type { JsonObject } from "../../kernel/json.ts";
import type { Log } from "../../ports/log.ts";
import { describeValue, InputError, isPlainObject } from "../../protocol/input.ts";
import type { Member } from "../member.ts";
import { Refused } from "../refused.ts";
import { actorOf, Keys, workerActor, type Seat, type Secret, type Surroundings } from "../seat.ts";
import { register } from "../worker/admit.ts";
import { endStarts, endTasks } from "../worker/end-tasks.ts";
import { handleOf, type WorkerHandle } from "../worker/handle.ts";
import { Hosting } from "../worker/hosting.ts";
import { JOIN_FILES, SANDBOX_VARIABLE, type JoinDocument } from "../process/launch.ts";
import { Sandboxes } from "../process/sandboxes.ts";
import { forLoop, parseConditions, type ConditionFunctions } from "./conditions.ts";
import type { BudgetOptions } from "./contract.ts";
import { openDriver, openLoopOn, openSigner } from "./opening.ts";
import type { Store, StoreAddress } from "./store.ts";

/** How a started process joins its fleet. */
export interface JoinOptions {
  /** The sandbox's folder; default: what the environment variable STINT_SANDBOX names. */
  readonly folder?: string;
  /** Function conditions that this process brings along, by their names. */
  readonly conditions?: ConditionFunctions;
  /** Told what an operator should look at; default: nobody. */
  readonly log?: Log;
}

/** The worker that a started process is. */
export interface JoinedWorker extends WorkerHandle, AsyncDisposable {
  /** What it was admitted with. */
  readonly state: JsonObject;
  readonly budget: BudgetOptions;
  /**
   * Ends this worker's part in the fleet: cooperative children are stopped, the end is recorded as
   * asked for, and the journal is let go. The process then has nothing of Stint's left to do, and
   * is to exit; its end is seen by whoever started it. Safe to call twice.
   */
  leave(reason?: string): Promise<void>;
}

/** What joining needs of the world. */
export interface JoinSurroundings extends Surroundings {
  /** Finds the store of an address. */
  storeAt(address: StoreAddress): Store;
}

/**
 * Joins the fleet that this process was started for: opens its store and presents the manifest,
 * once. From then on it beats by a timer, and its signal fires when it is told to stop.
 *
 * Throws an InputError when the process was not started by a fleet, `Refused` when the manifest is
 * not taken (`manifest_used`, `manifest_expired`, `fleet_killed`, …), and `Fault`s of the store.
 */
export async function joinFleetIn(
  world: JoinSurroundings,
  options: JoinOptions = {},
): Promise<JoinedWorker> {
  const surroundings = { ...world, log: options.log ?? world.log };
  const conditions = forLoop(parseConditions(options.conditions));
  const papers = await readPapers(options.folder ?? process.env[SANDBOX_VARIABLE]);
  const signer = openSigner(surroundings, papers.secret);
  const store = await world.storeAt(papers.join.store).open();
  const opened = await openLoopOn(surroundings, { store, signer, conditions });
  const { loop } = opened;
  const { fleet, instance } = papers.join;
  const closing = new AbortController();
  const own = { kind: "worker", id: instance, via: "library", claimed: ["id"] } as const;
  const seat: Seat = {
    ...surroundings,
    fleet,
    loop,
    store,
    keys: new Keys(loop, { signer, secret: papers.secret, isKept: false }),
    owner: actorOf(world.host, own),
    closing: closing.signal,
  };
  const hosting = new Hosting(seat);
  let member: Member = { seat, hosting, sandboxes: undefined, whyNoSandboxes: "" };
  const close = (): Promise<void> => closeMember(member, closing);
  try {
    const { driver, why } = await openDriver(store, seat);
    member = { ...member, whyNoSandboxes: why };
    if (driver !== undefined) member = { ...member, sandboxes: new Sandboxes(seat, driver) };
    const registered = await register(member, papers.envelope, { kind: "self", beats: true });
    if (!registered.ok) throw new Refused(registered.refusal, registered.seq);
    const handle = handleOf(member, { manifest: registered.manifest, kind: "self" });
    return joinedWorker(member, handle, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function closeMember(member: Member, closing: AbortController): Promise<void> {
  const { seat, hosting, sandboxes } = member;
  await endTasks(member, (id) => workerActor(seat, id));
  closing.abort();
  await endStarts(member);
  hosting.close();
  await sandboxes?.close();
  await seat.loop.close();
  await seat.store.close();
}

function joinedWorker(
  { seat }: Member,
  handle: WorkerHandle,
  close: () => Promise<void>,
): JoinedWorker {
  let leaving: Promise<void> | undefined;
  const goAway = async (reason: string | undefined): Promise<void> => {
    try {
      await handle.shutdown(reason);
    } finally {
      await close();
    }
  };
  const leave = (reason?: string): Promise<void> => {
    leaving ??= goAway(reason);
    return leaving;
  };
  const { state, budget } = handle.manifest;
  seat.log.info("joined the fleet", { fleet: seat.fleet, worker: handle.id });
  return Object.freeze({
    ...handle,
    get signal() {
      return handle.signal;
    },
    state,
    budget,
    leave,
    [Symbol.asyncDispose]: () => leave(),
  });
}

interface Papers {
  readonly join: JoinDocument;
  readonly secret: Secret;
  /** Whatever was handed over as the manifest; the signer says what it is. */
  readonly envelope: unknown;
}

async function readPapers(folder: string | undefined): Promise<Papers> {
  if (folder === undefined || folder === "") {
    const expected = `the folder of a sandbox (${SANDBOX_VARIABLE}, set for what a fleet starts)`;
    throw new InputError("usage", [{ path: "folder", expected, got: describeValue(folder) }]);
  }
  const join = parseJoin(await readJson(folder, JOIN_FILES.join));
  const secret = parseSecret(await readJson(folder, JOIN_FILES.secret));
  return { join, secret, envelope: await readJson(folder, JOIN_FILES.manifest) };
}

async function readJson(folder: string, name: string): Promise<unknown> {
  const path = joinPath(folder, name);
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    const got = error instanceof Error ? error.message : describeValue(error);
    throw new InputError("usage", [{ path, expected: "a readable JSON document", got }]);
  }
}

function parseJoin(value: unknown): JoinDocument {
  const store: unknown = isPlainObject(value) ? value["store"] : undefined;
  const isJoin =
    isPlainObject(value) &&
    value["version"] === 1 &&
    typeof value["fleet"] === "string" &&
    typeof value["instance"] === "string" &&
    isPlainObject(store) &&
    store["kind"] === "sqlite" &&
    typeof store["dir"] === "string";
  if (isJoin) return value as unknown as JoinDocument;
  const expected = "a document of version 1 that names fleet, instance and store";
  throw new InputError("usage", [{ path: JOIN_FILES.join, expected, got: describeValue(value) }]);
}

function parseSecret(value: unknown): Secret {
  if (isPlainObject(value) && typeof value["text"] === "string") return value["text"];
  if (isPlainObject(value) && typeof value["base64"] === "string")
    return Uint8Array.from(Buffer.from(value["base64"], "base64"));
  // What it is instead might be the secret: it is not shown.
  const got = "something else";
  throw new InputError("usage", [
    { path: JOIN_FILES.secret, expected: "a secret's document", got },
  ]);
}
