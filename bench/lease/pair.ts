import type { CommandMap } from "../../src/kernel/command.ts";
import type { Entry } from "../../src/kernel/entry.ts";
import { leaseIdAt } from "../../src/kernel/lease/lease.ts";
import { base32 } from "../../src/runtime/base32.ts";
import { sha256Of } from "../../src/runtime/canonical.ts";
import type { Loop } from "../../src/runtime/loop.ts";
import { systemRandom } from "../../src/system/random.ts";
import { give } from "../fleet.ts";

const random = systemRandom();
const NONCE_BYTES = 16;
const TTL_MS = 300_000;

/** Acquires a folder that nobody else wants and gives it back: one command after the other. */
export async function carryLease(loop: Loop, folder: string): Promise<readonly Entry[]> {
  const nonce = base32(random.bytes(NONCE_BYTES));
  const name = `whoever works on ${folder}`;
  const token_hash = sha256Of(nonce);
  const data: CommandMap["lease.acquire"] = {
    region: [`src/${folder}/**`],
    holder: { name, nonce, token_hash },
    ttl_ms: TTL_MS,
  };
  const granted = await give(loop, { kind: "lease.acquire", data });
  const [entry] = granted;
  if (entry?.kind !== "lease.granted") throw new Error("a lease must be granted by one entry");
  const claim = { name, token_hash };
  const lease = leaseIdAt(entry.seq);
  const released = await give(loop, { kind: "lease.release", data: { lease, claim } });
  return [...granted, ...released];
}
