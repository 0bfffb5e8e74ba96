// Why a lease was granted: what was looked at for it, by the kind of ground that it is.

import type { EventMap } from "../../kernel/event.ts";
import { slotsOf } from "../../kernel/lease/book.ts";
import { fenceAt, isHeldAt } from "../../kernel/lease/lease.ts";
import type { State } from "../../kernel/state.ts";
import { listWords, quoted, workerWords, type Named } from "./words.ts";

type Granted = EventMap["lease.granted"];

/** A grant, and what it was decided on. */
interface Decided {
  readonly state: State;
  readonly atMs: number;
  readonly named: Named;
}

/** The facts that a grant of a lease rests on, as a sentence without its full stop. */
export function grantGrounds(data: Granted, so: Decided): string {
  const { holder, place, widened_from } = data;
  const who =
    "worker" in holder
      ? `${workerWords(holder.worker, so.named)} ran, was neither stale nor in quarantine, ` +
        "and the ground lies in its regions"
      : "an outside party may hold any ground";
  return [
    "every check passed: the fleet was open",
    who,
    ...conditionGrounds(so.state),
    ...slotGrounds(data, so),
    wayGrounds(data),
    ...(place === undefined ? [] : [`it was its turn in the queue, in which it had ${place}`]),
    ...(widened_from === undefined
      ? []
      : ['only whole folders are mounted (widen is "directory"), so it was widened to them']),
    ...(data.passed_over ?? []).map(
      ({ lane, code }) =>
        `lane ${JSON.stringify(lane)} was passed over for ${JSON.stringify(code)}`,
    ),
  ].join("; ");
}

/** The facts that a handing over rests on. */
export function handOverGrounds(
  { lease: id, orphan }: EventMap["lease.handed_over"],
  { state }: Decided,
): string {
  const before = state.book.leases.get(id)?.fence;
  // It is the entry after the state that it was decided on, and its fence follows from its place.
  const fence = fenceAt(state.epoch, state.seq + 1);
  const instead = before === undefined ? "" : `, ${fence} instead of ${before}`;
  return orphan
    ? "its holder was a worker that had ended, and the new one may hold it; it has a new fence" +
        instead
    : `its holder asked, and the new one may hold it; it has a new fence${instead}`;
}

function conditionGrounds({ contract }: State): readonly string[] {
  const names = contract.lease_deny_when.map(({ name }) => quoted(name));
  return names.length === 0 ? [] : [`none of the conditions on leases ${listWords(names)} held`];
}

function slotGrounds({ mode, lane }: Granted, { state, atMs }: Decided): readonly string[] {
  const slots = lane === undefined ? undefined : state.book.lanes.get(lane)?.slots;
  if (mode !== "slot" || lane === undefined || slots === undefined) return [];
  const held = [...slotsOf(state.book, lane)].filter((lease) => isHeldAt(lease, atMs)).length;
  return [`${held} of ${slots} slots of lane ${quoted(lane)} ${held === 1 ? "was" : "were"} held`];
}

/** Who could have been in the way. */
function wayGrounds({ lender, lane, alone, mode }: Granted): string {
  if (lender !== undefined) return `it lies in ${lender}, whose holder lent it`;
  if (alone === true) return `lane ${quoted(lane ?? "")} runs alone, and no other lease was live`;
  if (mode === "shared") return "whoever else has it only reads it too";
  return mode === "slot"
    ? "no lease other than its slots was in the way"
    : "no other live lease was in the way";
}
