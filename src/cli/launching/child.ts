import { createHash } from "node:crypto";
import type { Budget } from "../../kernel/budget/budget.ts";
import type { Outcome } from "../../kernel/worker/evidence.ts";
import type { Manifest } from "../../kernel/worker/manifest.ts";
import { toEdge, toWire } from "../../library/names.ts";
import { Refused, refusedAnswer } from "../../library/refused.ts";
import { unlessAborted } from "../../library/waiting.ts";
import { connectAsWorker } from "../../client/worker-connection.ts";
import type { ChildOrder } from "../../ports/worker-door.ts";
import { isPlainObject } from "../../protocol/input.ts";
import { base32, freshCommandId, freshInstanceId } from "../../runtime/base32.ts";
import { systemRandom } from "../../system/random.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import type { Launch } from "./launch.ts";
import { networkBelow } from "./network.ts";
import type { End, Running } from "./running.ts";

/** As many bits as an instance id has. */
const instanceBytes = 10;

/**
 * Starts a child of the worker whose token lies in a file, through its supervisor alone. What the
 * child writes is the operator's to read, and its end is the only thing that is heard of it.
 */
export async function startAsWorker(
  tokenFile: string,
  launch: Launch,
  signal: AbortSignal,
): Promise<Running> {
  const door = await connectAsWorker(tokenFile);
  const giveUp = new AbortController();
  try {
    const { manifest } = await unlessAborted(door.self(), signal);
    const order = orderOf(launch, manifest);
    // A worker stops no other: what it gave up waiting for may run yet, for its parent to account.
    const answer = await unlessAborted(door.start(order), signal);
    if (!answer.ok) throw new Refused(refusedAnswer(answer.refusal).refusal, answer.seq);
    const id = answer.worker;
    let ended: Promise<End> | undefined;
    return {
      id,
      output: null,
      get ended() {
        ended ??= door.untilEnded(id, giveUp.signal).then((view) => endIn(view["end"]));
        return ended;
      },
      stop: async () => {
        // The rules let no worker stop another: the child runs on, only nobody waits for it.
        giveUp.abort(new Interrupted(`${id} runs on: a worker cannot stop another`));
      },
      close: () => void door.close(),
    };
  } catch (error) {
    await door.close();
    throw error;
  }
}

/** A wait that was given up because its caller was interrupted. */
class Interrupted extends Error {
  // The name by which everybody knows that something was called off and has not failed.
  override readonly name = "AbortError";
}

function orderOf(launch: Launch, { instance: self, network: own }: Manifest): ChildOrder {
  const { name, parent, runId, reason, state, run, cwd, env } = launch;
  if (parent !== undefined && parent !== self) {
    const expected = `absent (a worker starts children of its own, and this is ${self})`;
    throw new InputError("usage", [{ path: "--parent", expected, got: describeValue(parent) }]);
  }
  const budget = toWire(launch.budget, "budget") as Budget;
  const ids = runId === undefined ? freshIds() : namedIds(self, runId);
  const { instance } = ids;
  const network = networkBelow(launch, own);
  return {
    id: ids.id,
    admission: { instance, name, reason, state, budget, network },
    run,
    cwd,
    env,
  };
}

function freshIds(): { readonly id: string; readonly instance: string } {
  const random = systemRandom();
  return { id: freshCommandId(random), instance: freshInstanceId(random) };
}

/** The same name of a run means the same child, for this worker alone. */
function namedIds(self: string, runId: string): { readonly id: string; readonly instance: string } {
  const digest = createHash("sha256")
    .update(JSON.stringify(["run", self, runId]))
    .digest();
  const instance = `w-${base32(digest.subarray(0, instanceBytes))}`;
  return { id: `run-${instance}`, instance };
}

function endIn(end: unknown): End {
  if (!isPlainObject(end)) return { outcome: {}, reason: "lapsed" };
  const { outcome, reason, seq } = end;
  return {
    // The supervisor is this very program: it shows an end as the library does.
    outcome: toEdge((outcome ?? {}) as Outcome),
    reason: String(reason),
    ...(typeof seq === "number" ? { seq } : {}),
  };
}
