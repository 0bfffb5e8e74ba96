// A worker of a supervisor's that asks which paths it may write, from the folder that it runs in;
// what it was told it checkpoints.
import { Fault, InputError, joinFleet, Refused, type PathVerdict } from "stint/worker";

const worker = await joinFleet();
const lease = await worker.acquire({ region: "src/**", ttlMs: 600_000 });
const paths = ["x", "../docs/x", "../.git/config"];
const free = await worker.check(paths);
const byFence = await worker.check("x", { fence: lease.fence });
const strict = await worker.check("../free", { strict: true, cwd: process.cwd() });
await worker.checkpoint({
  free: free.map(shown),
  byFence: byFence.map(shown),
  strict: strict.map(shown),
  own: free[0]?.leaseId === lease.id && free[0].holder === worker.id,
  wrong: await messageOf(() => worker.check([], {})),
  unknown: await messageOf(() => worker.check("x", { holder: "anna" } as never)),
});
await worker.leave();
const left = await messageOf(() => worker.check("x"));
if (left !== "closed") throw new Error(`a worker that has left must ask nothing, got ${left}`);

function shown({ resolved, reason, allowed }: PathVerdict): string {
  return `${resolved ?? "nothing"} ${reason} ${String(allowed)}`;
}

async function messageOf(ask: () => Promise<unknown>): Promise<string> {
  try {
    await ask();
    return "granted";
  } catch (error) {
    if (error instanceof Refused || error instanceof Fault) return error.code;
    return error instanceof InputError ? error.message : String(error);
  }
}
