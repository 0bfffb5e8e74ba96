// A worker of a supervisor's that holds leases, as a process of its own. What it does is its first
// argument; what it found it checkpoints.
import {
  InputError,
  joinFleet,
  LeaseLost,
  Refused,
  type JoinedWorker,
  type LeaseHandle,
} from "stint/worker";

const [mode = ""] = process.argv.slice(2);
const me = await joinFleet();
if (mode === "own") await holdOwn(me);
else if (mode === "lost") await loseOne(me);
else if (mode === "lend") await lend(me);
else if (mode === "borrow") await borrow(me);
else if (mode === "keep") await keep(me);
else throw new Error(`unknown mode ${mode}`);

/** Does all that a holder may do, and some that it may not. */
async function holdOwn(worker: JoinedWorker): Promise<void> {
  const lease = await worker.acquire({ region: "own/**", ttlMs: 60_000, runId: "r" });
  const again = await worker.acquire({ region: "own/**" });
  const renewed = await lease.renew({ ttlMs: 3_600_000 });
  const unrecorded = await lease.renew({ ttlMs: 3_600_000 });
  await lease.narrow(["own/a/**", "own/b/**"]);
  const held = await worker.leases();
  const taken = await worker.tryAcquire({ region: "taken/x" });
  // Whoever started this worker has put it there.
  const outside = worker.state["outside"] as string;
  const codes = [
    await codeOf(() => worker.lease(outside).release()),
    await codeOf(() => worker.lease("l-999").renew()),
    await codeOf(() => worker.adopt({ lease: outside })),
    await codeOf(() => worker.acquire({ region: "elsewhere/**" })),
  ];
  const messages = [
    await codeOf(() => worker.acquire({ region: "own/x", ttlMs: 0 })),
    await codeOf(() => worker.acquire({ any: ["a", 5 as never] })),
    await codeOf(() => worker.acquire({ regoin: "x" } as never)),
    await codeOf(() => lease.split({ to: "anna", region: "own/a" })),
    await codeOf(() => worker.lease("7").renew()),
  ];
  const kept = await worker.withLease({ region: "own/c", ttlMs: 1_000 }, async (own, signal) => {
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    return { aborted: signal.aborted, lasted: own.view().expiresAtMs - own.view().grantedAtMs };
  });
  const view = lease.view();
  await lease.release();
  await lease.release();
  await worker.checkpoint({
    ids: [lease.id === again.id, again.fence === lease.fence],
    token: lease.token,
    trusts: lease.trustedUntil > 0,
    same: renewed.expiresAtMs === unrecorded.expiresAtMs,
    held: held.map(({ id, region }) => ({ id: id === lease.id, region })),
    region: view.region,
    view: { holder: view.holder, runId: view.runId, isLive: view.isLive },
    taken: taken.ok ? "granted" : { code: taken.refusal.code, facts: taken.refusal.facts },
    codes,
    messages,
    kept,
    left: (await worker.leases()).length,
    after: await codeOf(() => lease.renew()),
  });
  await worker.leave();
}

/** Waits until a lease is lost, and tells why. */
async function loseOne(worker: JoinedWorker): Promise<void> {
  const [lost, kept] = await Promise.all(
    ["own/a", "own/b"].map((region) => worker.acquire({ region, ttlMs: 3_600_000 })),
  );
  if (lost === undefined || kept === undefined) throw new Error("both must be had");
  await worker.checkpoint({ lost: lost.id, kept: kept.id });
  const by = await lossOf(lost);
  const { isLive } = lost.view();
  const next = await codeOf(() => lost.renew());
  await worker.checkpoint({ by, isLive, next, kept: kept.signal.aborted });
  await new Promise(() => void setInterval(() => undefined, 60_000));
}

/** Lends a part to a child, a process of its own, and looks at what that holds. */
async function lend(worker: JoinedWorker): Promise<void> {
  const lease = await worker.acquire({ region: "own/**", ttlMs: 3_600_000 });
  const run = [process.execPath, ...process.execArgv, String(process.argv[1]), "borrow"];
  const answer = await worker.maybeReplicate({ reason: "apart", run });
  if (!answer.ok) throw new Error(JSON.stringify(answer));
  const child = answer.worker;
  const asked = { to: child.id, region: "own/{a,b}/**", ttlMs: 60_000 };
  const lent = await lease.split(asked);
  const again = await lease.split(asked);
  const seen = await child.leases();
  const end = await child.ended();
  await worker.checkpoint({
    lent: { holder: lent.holder === child.id, lender: lent.lender === lease.id },
    again: again.id === lent.id,
    seen: seen.map(({ id }) => id === lent.id),
    child: end.state,
    stranger: await codeOf(() => child.lease(lent.id).release()),
  });
  await worker.leave();
}

async function borrow(worker: JoinedWorker): Promise<void> {
  let lent = (await worker.leases())[0];
  while (lent === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    lent = (await worker.leases())[0];
  }
  const lease = await worker.lease(lent.id).hold();
  const leftMs = lease.trustedUntil - performance.now();
  await lease.release();
  await worker.checkpoint({ region: lent.region, leftMs });
  await worker.leave();
}

/** Does work under a lease for as long as it lives. */
async function keep(worker: JoinedWorker): Promise<void> {
  const lost = await worker
    .withLease({ region: "own/**", ttlMs: 2_000 }, async (lease, signal) => {
      await worker.checkpoint({ lease: lease.id });
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    })
    .catch((error: unknown) => (error instanceof LeaseLost ? error.by : String(error)));
  await worker.checkpoint({ lost: lost ?? "nothing" });
}

function lossOf({ signal }: LeaseHandle): Promise<string> {
  return new Promise((resolve) => {
    const hold = setInterval(() => undefined, 60_000);
    const tell = (): void => {
      clearInterval(hold);
      resolve((signal.reason as LeaseLost).by);
    };
    if (signal.aborted) tell();
    signal.addEventListener("abort", tell);
  });
}

async function codeOf(ask: () => Promise<unknown>): Promise<string> {
  try {
    await ask();
    return "granted";
  } catch (error) {
    if (error instanceof Refused) return error.code;
    return error instanceof InputError ? error.message : String(error);
  }
}
