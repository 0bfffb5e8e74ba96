import type { CommandKind } from "../kernel/command.ts";
import type { Entry } from "../kernel/entry.ts";
import type { Refusal } from "../kernel/refusal.ts";
import type { Envelope } from "../ports/signer.ts";
import { LIMITS } from "../kernel/limits.ts";
import { parseCommand } from "../protocol/command.ts";
import { describeValue, InputError, isPlainObject } from "../protocol/input.ts";
import { answerWithoutPermit } from "./kill/adoption.ts";
import { snapshotOf } from "./names.ts";
import { demandOpen } from "./closed.ts";
import { currentFolder, placed } from "./ground/placing.ts";
import { hashShownToken } from "./ground/shown-token.ts";
import type { Seat } from "./seat.ts";

/**
 * What became of a command that was given in the journal's own words: the entries it wrote, or the
 * refusal. `envelope` is the sealed manifest of a worker that was admitted by it.
 */
export type PlainAnswer =
  | {
      readonly ok: true;
      readonly seq: number;
      readonly entries: readonly Entry[];
      readonly envelope?: Envelope;
    }
  | { readonly ok: false; readonly seq: number; readonly refusal: Refusal };

/** Why commands of some kinds are not taken from anybody: each has a door of its own. */
const DOORS: Partial<Record<CommandKind, string>> = {
  "journal.sign": "heads are signed by whoever holds the key, as entries are written",
  "refusals.suppress": "refusals are counted by the loop that leaves them out",
  "receipt.record": "a receipt is recorded by the stop or kill that it is about",
  "key.rotate": "the secret is rotated with its key, by rotateSecret",
};

/**
 * Gives one command as the journal writes it, `{ kind, data }` in snake_case, as the operator of
 * this handle. `worker.register` takes the sealed envelope in `data.envelope`, and a claim on a
 * lease the token itself, as `data.claim.token`: a hash of it is not taken.
 *
 * Under the same id the same command is decided once, and answered as then for 24 hours. Throws an
 * InputError for what is no command, and for kinds that have a door of their own.
 */
export async function givePlainCommand(
  seat: Seat,
  given: unknown,
  options: { readonly id?: string } = {},
): Promise<PlainAnswer> {
  demandOpen(seat);
  const id = parseId(options.id);
  const { given: hashed, token } = hashShownToken(given);
  const from = { cwd: currentFolder() };
  const command = placed(seat, parseCommand(checkEnvelope(seat, hashed)), from);
  const door = DOORS[command.kind];
  if (door !== undefined)
    throw wrong("command.kind", `one that may be given by hand (${door})`, command.kind);
  // A kill that is not in the journal yet binds all the same.
  const killed = await answerWithoutPermit(seat, command.kind);
  if (killed !== null) return killed;
  const answer = await seat.loop.submit(command, seat.owner, {
    ...(id === undefined ? {} : { id }),
    ...(token === undefined ? {} : { token }),
  });
  if (!answer.ok) return snapshotOf(answer);
  const sealed = sealAdmitted(seat, answer.entries);
  return snapshotOf({ ...answer, ...(sealed === undefined ? {} : { envelope: sealed }) });
}

function parseId(id: unknown): string | undefined {
  const { commandIdCharsMax: max } = LIMITS;
  if (id === undefined || (typeof id === "string" && id !== "" && id.length <= max)) return id;
  throw wrong("id", `a text of 1 to ${max} characters`, id);
}

/** A manifest is believed for its seal alone, so a registration brings the seal and no verdict. */
function checkEnvelope(seat: Seat, given: unknown): unknown {
  if (!isPlainObject(given) || given["kind"] !== "worker.register") return given;
  const { data } = given;
  if (!isPlainObject(data)) return given;
  const { envelope: sealed, manifest: claimed, ...others } = data;
  if (claimed !== undefined)
    throw wrong("worker.register.manifest", "absent (it is in the envelope)", claimed);
  const { verdict, manifest } = seat.keys.signer.check(sealed);
  return { ...given, data: { ...others, manifest, envelope: verdict } };
}

/** Seals the manifest of an admission; a handle with an older key has no seal that is taken. */
function sealAdmitted(seat: Seat, entries: readonly Entry[]): Envelope | undefined {
  const { signer } = seat.keys;
  for (const { kind, data } of entries)
    if (kind === "worker.admitted" && data.manifest.key_id === signer.key.key_id)
      return signer.seal(data.manifest);
  return undefined;
}

function wrong(path: string, expected: string, got: unknown): InputError {
  return new InputError("usage", [{ path, expected, got: describeValue(got) }]);
}
