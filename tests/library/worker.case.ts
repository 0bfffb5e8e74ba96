// A worker as a process of its own. What it does stands in its state, as `mode`.
import { joinFleet, Refused, type JoinedWorker } from "stint/worker";

const [mode = ""] = process.argv.slice(2);

if (mode === "crash") throw new Error("a worker that crashes before it joins");
if (mode === "mute") await forEver();

const me = await joinFleet();
await act(me);

async function act(worker: JoinedWorker): Promise<void> {
  switch (mode) {
    case "quick":
      await worker.checkpoint({ ...worker.state, done: true });
      return worker.leave();
    case "wait":
      await fired(worker);
      await worker.leave();
      return;
    case "deaf":
      return forEver();
    case "exit":
      return process.exit(3);
    case "twice":
      await worker.checkpoint({ second: await joinAgain() });
      return worker.leave();
    case "look":
      await worker.checkpoint({ env: environment(), argv: process.argv, cwd: process.cwd() });
      return worker.leave();
    case "fail":
      await worker.performTask(() => Promise.reject(new Error("no luck"))).catch(() => undefined);
      return worker.leave();
    case "parent":
      return haveChild(worker);
    default:
      throw new Error(`unknown mode ${mode}`);
  }
}

async function joinAgain(): Promise<string> {
  try {
    await joinFleet();
    return "joined";
  } catch (error) {
    return error instanceof Refused ? error.code : String(error);
  }
}

/** Has one child as a process and one in this process, and tells what became of each. */
async function haveChild(worker: JoinedWorker): Promise<void> {
  const run = [process.execPath, ...process.execArgv, String(process.argv[1]), "quick"];
  const apart = await worker.maybeReplicate({ reason: "apart", run, name: "apart" });
  const here = await worker.maybeReplicate({ reason: "here", name: "here" });
  if (!apart.ok || !here.ok) throw new Error(JSON.stringify([apart, here]));
  const answer = await here.worker.performTask(({ worker: child }) => child.depth);
  const end = await apart.worker.ended();
  await worker.checkpoint({ answer, apart: end.state, grade: end.end?.grade ?? "none" });
  await worker.leave();
}

function fired({ signal }: JoinedWorker): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    // What waits for a signal alone keeps no process running.
    const hold = setInterval(() => undefined, 60_000);
    signal.addEventListener("abort", () => {
      clearInterval(hold);
      resolve();
    });
  });
}

function environment(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(process.env).map(([name, value]) => [name, value ?? ""]),
  );
}

function forEver(): Promise<never> {
  return new Promise(() => void setInterval(() => undefined, 60_000));
}
