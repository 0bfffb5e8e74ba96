// What a person who was refused is told besides the rules' own sentence: who the worker is that is
// in the way, and what to type next. Programs have the facts.

import type { RefusalCode } from "../../kernel/refusal.ts";
import { orphanWords } from "../../library/explain/lease-remedy.ts";
import type { Named } from "../../library/explain/words.ts";
import type { LeaseView } from "../../library/lease/view.ts";
import type { RefusalView } from "../../library/refused.ts";
import type { Call } from "../call.ts";
import { liveIn, namesFor } from "../ground/leases.ts";
import { plainText } from "../text/plain.ts";

/** A refusal as it is told to a person, and lines that go with it. */
export interface Told {
  readonly refusal: RefusalView;
  readonly hints: readonly string[];
}

/** What is looked at for a hint. */
interface Asked {
  readonly call: Call;
  readonly refusal: RefusalView;
  /** The verb that was typed, such as `lease adopt`. */
  readonly verb: string;
}

/** Tells a person of a refusal; what cannot be looked up is not told. Never throws. */
export async function tellPerson(call: Call, refusal: RefusalView, verb: string): Promise<Told> {
  try {
    return (await TELLING[refusal.code]?.({ call, refusal, verb })) ?? { refusal, hints: [] };
  } catch {
    // What is to be told is the refusal; what is wrong with the store, its next reader says.
    return { refusal, hints: [] };
  }
}

const TELLING: Readonly<Partial<Record<RefusalCode, (asked: Asked) => Told | Promise<Told>>>> = {
  conflict: tellConflict,
  slots_full: ({ refusal, verb }) => ({ refusal, hints: waitHints(refusal, verb) }),
  holder_mismatch: tellMismatch,
  fleet_paused: ({ refusal }) => ({ refusal, hints: ["`stint resume` opens it again"] }),
  worker_unknown: tellUnknown,
  region_invalid: tellRegion,
};

async function tellConflict({ call, refusal, verb }: Asked): Promise<Told> {
  const { lease, named } = await leaseOf(call, refusal);
  const waiting = waitHints(refusal, verb);
  if (lease === undefined) return { refusal, hints: waiting };
  const isLeft = lease.orphaned;
  const hints = isLeft ? [`its holder is a worker that has ended: ${orphanWords(lease)}`] : waiting;
  return { refusal: withName(refusal, named), hints };
}

/** Verbs that take `--wait`. */
const WAITING_VERBS = ["lease acquire", "lease with"];

/**
 * What is told whoever did not wait for what passes: with `--wait` these very refusals do not come.
 * Not where its own lease or place is in the way, nor where it has said itself what is held.
 */
function waitHints({ facts }: RefusalView, verb: string): readonly string[] {
  const isPassing = facts["own"] !== true && !("alsoHeld" in facts);
  return isPassing && WAITING_VERBS.includes(verb) ? ["`--wait 10m` queues for it"] : [];
}

async function tellMismatch({ call, refusal, verb }: Asked): Promise<Told> {
  const { lease, named } = await leaseOf(call, refusal);
  if (lease === undefined) return { refusal, hints: [] };
  const { id, holder, holderKind, orphaned } = lease;
  const told = withName(refusal, named);
  if (holderKind === "worker") {
    const flag = verb === "lease adopt" ? "--from" : "--holder";
    const hint = orphaned
      ? `its holder is a worker that has ended: ${orphanWords(lease)}`
      : `its holder is a worker that lives: an operator names it by \`${flag} ${holder}\``;
    return { refusal: told, hints: [hint] };
  }
  if (refusal.facts["got"] !== "no token") return { refusal: told, hints: [] };
  const hint =
    "show its token by --token-file FILE or STINT_LEASE_TOKEN; who has lost it ends the lease by " +
    `\`stint lease revoke ${id} --reason WHY\``;
  return { refusal: told, hints: [hint] };
}

function tellUnknown({ refusal, verb }: Asked): Told {
  const { worker } = refusal.facts;
  if (!verb.startsWith("lease ") || typeof worker !== "string") return { refusal, hints: [] };
  const shown = plainText(JSON.stringify(worker));
  return { refusal, hints: [`no live worker has the id or name ${shown}`] };
}

/** The pattern that a message of the parser ends with. */
const PATTERN = /in ("(?:[^"\\]|\\.)*")$/;

async function tellRegion({ call, refusal }: Asked): Promise<Told> {
  const { got } = refusal.facts;
  const [, text] = PATTERN.exec(typeof got === "string" ? got : "") ?? [];
  const pattern = text === undefined ? "" : String(JSON.parse(text)).replace(/^!/, "");
  if (!pattern.startsWith("/")) return { refusal, hints: [] };
  const { root } = await call.place();
  const below = pattern.startsWith(`${root}/`) ? pattern.slice(root.length) : pattern;
  const meant = plainText(below.replace(/^\/+/, ""));
  const hint = `patterns begin at the repository's root: '${meant}'`;
  return { refusal, hints: meant === "" ? [] : [hint] };
}

async function leaseOf(
  call: Call,
  { facts }: RefusalView,
): Promise<{ readonly lease: LeaseView | undefined; readonly named: Named }> {
  const reading = await call.read();
  const lease = liveIn(reading).find(({ id }) => id === facts["leaseId"]);
  const named = await namesFor(call, reading, lease === undefined ? [] : [lease]);
  return { lease, named };
}

/** A worker is told with the name that people know it by. */
function withName(refusal: RefusalView, named: Named): RefusalView {
  const { holder } = refusal.facts;
  const name = typeof holder === "string" ? named(holder) : undefined;
  if (typeof holder !== "string" || name === undefined) return refusal;
  const shown = `${holder} (${plainText(name)})`;
  return { ...refusal, message: refusal.message.replace(holder, () => shown) };
}
