// A worker of a supervisor's, as a process of its own. What it does stands in its state, as `mode`;
// what it found it checkpoints, for its output is nobody's to read here.
import { writeFileSync } from "node:fs";
import { Interrupted, InputError, joinFleet, Refused, type JoinedWorker } from "stint/worker";

const [mode = ""] = process.argv.slice(2);
const me = await joinFleet();
await act(me);

async function act(worker: JoinedWorker): Promise<void> {
  switch (mode) {
    case "quick":
      await worker.checkpoint({ ...worker.state, done: true });
      return worker.leave();
    case "wait":
      writeFileSync(`${fileOf(worker)}.joined`, worker.id);
      writeFileSync(fileOf(worker), await fired(worker.signal));
      return worker.leave();
    case "deaf":
      return forEver();
    case "interrupted":
      return tellInterruptions(worker);
    case "silent":
      // Beats by a timer, and stops to: a stopped process beats no more.
      await worker.checkpoint({ pid: process.pid });
      return forEver();
    case "self":
      return tellSelf(worker);
    case "tasks":
      return tellTasks(worker);
    case "fail":
      await worker.performTask(() => Promise.reject(new Error("no luck"))).catch(() => undefined);
      return forEver();
    case "parent":
      return haveChild(worker);
    case "wrong":
      return tellWrongs(worker);
    case "others":
      return actForOthers(worker);
    default:
      throw new Error(`unknown mode ${mode}`);
  }
}

function fileOf({ state }: JoinedWorker): string {
  return typeof state["file"] === "string" ? state["file"] : "told";
}

async function tellSelf(worker: JoinedWorker): Promise<void> {
  await worker.charge({ units: { tokens: 7 } });
  const view = await worker.view();
  const { id, name, parent, depth, manifest, budget, state } = worker;
  const told = { id, name, parent, depth, budget, state, lives: manifest.expiresAtMs > 0 };
  const environment = Object.keys(process.env).filter((key) => key.startsWith("STINT_"));
  const seen = { status: view?.status ?? "none", spent: view?.budget.spent ?? {} };
  const document = JSON.stringify({ ...told, environment, seen });
  await worker.checkpoint(JSON.parse(document) as JoinedWorker["state"]);
  await worker.leave();
}

async function tellTasks(worker: JoinedWorker): Promise<void> {
  const sum = await worker.performTask(({ worker: same }) => (same === worker ? 1 : 0) + 1);
  await worker.checkpoint({ sum });
  await worker.leave("all done");
}

/** Waits for a quarantine, its end, and for what ends this worker. */
async function tellInterruptions(worker: JoinedWorker): Promise<void> {
  // Listened to before anybody hears that it is ready: it may be told, and released, at once.
  const interrupted = fired(worker.signal);
  await worker.checkpoint({ ready: true });
  const first = await interrupted;
  while (worker.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5));
  await worker.checkpoint({ first });
  await fired(worker.signal);
  await worker.leave();
}

/** Has one child as a process and asks for one here, and tells what became of each. */
async function haveChild(worker: JoinedWorker): Promise<void> {
  const run = [process.execPath, ...process.execArgv, String(process.argv[1]), "quick"];
  const answer = await worker.maybeReplicate({ reason: "apart", run, state: { from: worker.id } });
  if (!answer.ok) throw new Error(JSON.stringify(answer));
  const child = answer.worker;
  const end = await child.ended();
  const signalled = await fired(child.signal);
  const { name, parent, depth } = child;
  const told = { name, parent, depth, state: end.state, status: end.status, signalled };
  const crowd = await worker.maybeReplicate({ reason: "apart", run, depth: 7 });
  await worker.checkpoint({ ...told, crowd: crowd.ok ? "granted" : crowd.refusal.code });
  await worker.leave();
}

async function tellWrongs(worker: JoinedWorker): Promise<void> {
  const wrongs = [
    () => worker.maybeReplicate({ reason: "here" }),
    () => worker.maybeReplicate({ reason: "x", run: ["x"], budget: { memory: 5 } } as never),
    () => worker.maybeReplicate({ reason: "x", run: ["x"], budget: { memoryBytes: -5 } }),
    () => worker.maybeReplicate({ run: ["x"] } as never),
    () => worker.checkpoint({ at: Number.NaN }),
    () => worker.checkpoint("state" as never),
    () => worker.charge({ cpuMs: -1 }),
    () => worker.charge({ cpu_ms: 1 } as never),
    () => worker.performTask("task" as never),
    () => worker.shutdown(5 as never),
  ];
  const said: string[] = [];
  for (const wrong of wrongs) said.push(await messageOf(wrong));
  await worker.checkpoint({ said });
  await worker.leave();
}

/** Tries what only an operator, or another worker, may do: by its own token, on its own socket. */
async function actForOthers(worker: JoinedWorker): Promise<void> {
  const run = [process.execPath, ...process.execArgv, String(process.argv[1]), "deaf"];
  const child = await worker.maybeReplicate({ reason: "apart", run });
  if (!child.ok) throw new Error(JSON.stringify(child));
  const codes = [
    await codeOf(() => child.worker.checkpoint({ mine: false })),
    await codeOf(() => child.worker.shutdown()),
    await codeOf(() => child.worker.charge({ cpuMs: 1 })),
  ];
  await worker.checkpoint({ codes });
  await forEver();
}

async function messageOf(wrong: () => Promise<unknown>): Promise<string> {
  try {
    await wrong();
    return "granted";
  } catch (error) {
    return error instanceof InputError ? error.message : `not an InputError: ${String(error)}`;
  }
}

async function codeOf(ask: () => Promise<unknown>): Promise<string> {
  try {
    await ask();
    return "granted";
  } catch (error) {
    return error instanceof Refused ? error.code : String(error);
  }
}

function fired(signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    const tell = (): void => {
      const reason: unknown = signal.reason;
      resolve(reason instanceof Interrupted ? reason.by : String(reason));
    };
    if (signal.aborted) return tell();
    // What waits for a signal alone keeps no process running.
    const hold = setInterval(() => undefined, 60_000);
    signal.addEventListener("abort", () => {
      clearInterval(hold);
      tell();
    });
  });
}

function forEver(): Promise<never> {
  return new Promise(() => void setInterval(() => undefined, 60_000));
}
