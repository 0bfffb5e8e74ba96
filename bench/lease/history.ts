import { RULES } from "../../src/kernel/entry.ts";
import type { Event } from "../../src/kernel/event.ts";
import { leaseIdAt } from "../../src/kernel/lease/lease.ts";
import { LIMITS } from "../../src/kernel/limits.ts";
import type { Draft, Journal } from "../../src/ports/journal.ts";
import { sha256Of } from "../../src/runtime/canonical.ts";
import { OPERATOR } from "../fleet.ts";
import type { Course } from "../measure.ts";

const TTL_MS = 300_000;
const NONCE = "b".repeat(26);

/** What a journal is lengthened by, and whose it is. */
export interface Lengthening {
  /** How many entries it has afterwards, or one more. */
  readonly count: number;
  readonly fleet: string;
  readonly course: Course;
}

/** Appends leases that were granted and released up to `count` entries, a full slice at a time. */
export async function lengthenByLeases(
  journal: Journal,
  { count, fleet, course }: Lengthening,
): Promise<void> {
  let head = await journal.head();
  while (head.seq < count) {
    course.signal.throwIfAborted();
    course.tell(`preparing, entry ${head.seq.toLocaleString("en-US")}`);
    const first = head.seq + 1;
    const lives = Math.ceil(Math.min(LIMITS.readEntriesMax, count - head.seq) / 2);
    const outcome = await journal.append(head, (atMs) =>
      Array.from({ length: lives }, (_, index) =>
        lifeOf(first + 2 * index, { atMs, fleet }),
      ).flat(),
    );
    if (outcome.kind === "moved") throw new Error("nobody else writes in a bench");
    head = outcome.entries.at(-1) ?? head;
  }
}

/** The entries of a lease that is granted by the entry at `seq` and released by the next. */
function lifeOf(
  seq: number,
  { atMs, fleet }: { readonly atMs: number; readonly fleet: string },
): readonly Draft[] {
  const name = `whoever worked at ${seq}`;
  const granted: Event = {
    kind: "lease.granted",
    data: {
      mode: "exclusive",
      region: [`src/part-${seq % 1_000}/**`],
      holder: { name, nonce: NONCE, token_hash: sha256Of(name) },
      ttl_ms: TTL_MS,
      expires_at_ms: atMs + TTL_MS,
    },
  };
  const lease = leaseIdAt(seq);
  const released: Event = { kind: "lease.released", data: { lease, cause: "holder" } };
  const shared = { fleet, rules: RULES, actor: OPERATOR, command: null };
  return [
    { ...shared, id: `g-${seq}`, event: granted },
    { ...shared, id: `r-${seq}`, event: released },
  ];
}
