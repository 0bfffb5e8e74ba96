// Holds a lease of one second on `src/**` as "anna", says so, and watches its own clock. Whenever
// it did not run for a while it says what it may still rely on, and what becomes of a renewal.
// Arguments: the folder of the fleet and its secret.
import { openFleet, Refused, sqlite } from "stint";

const [dir = "", secret = ""] = process.argv.slice(2);
const fleet = await openFleet({ store: sqlite({ dir }), secret });
const lease = await fleet.acquire({ region: "src/**", holder: "anna", ttlMs: 1_000 });

let lastMs = performance.now();
setInterval(() => {
  const nowMs = performance.now();
  const gapMs = nowMs - lastMs;
  lastMs = nowMs;
  if (gapMs > 1_000) void tell(nowMs < lease.trustedUntil);
}, 5);
// Only now: whoever reads it may stop this process at once.
say({ id: lease.id, token: lease.token, fence: lease.fence });

async function tell(isTrusted: boolean): Promise<void> {
  const codes = [await codeOf(lease.renew()), await codeOf(lease.release())];
  say({ isTrusted, isLost: lease.signal.aborted, codes });
}

async function codeOf(asking: Promise<unknown>): Promise<string> {
  try {
    await asking;
    return "granted";
  } catch (error) {
    return error instanceof Refused ? error.code : String(error);
  }
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
