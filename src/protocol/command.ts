import { z } from "zod";
import type { Command, CommandKind, CommandMap } from "../kernel/command.ts";
import { nearest } from "../kernel/lane/nearest.ts";
import { LIMITS } from "../kernel/limits.ts";
import { armedCommands } from "./armed.ts";
import { conditionCommands } from "./condition.ts";
import { contractSchema } from "./contract.ts";
import { describeValue, InputError, isPlainObject } from "./input.ts";
import { leaseCommands, leaseId } from "./lease.ts";
import { manifestSchema } from "./manifest.ts";
import { parserOf, type Parser, type Place } from "./parse.ts";
import {
  EVIDENCE_LIMITS,
  integer,
  plainName,
  jsonObject,
  jsonValue,
  magnitude,
  pattern,
  record,
  sha256Hex,
  STATE_LIMITS,
  text,
} from "./scalar.ts";
import { accessCommands } from "./roster/access.ts";
import { rosterCommands } from "./roster/roster.ts";
import { workerCommands } from "./worker.ts";

const reason = text(LIMITS.reasonBytesMax, 1);
const keyId = text(LIMITS.nameCharsMax, 1);
const key = record({
  key_id: keyId,
  public_key: pattern(/^[A-Za-z0-9_-]{43}$/, "32 bytes as base64url (43 characters)"),
});

const schemas: { readonly [K in CommandKind]: z.ZodType } = {
  ...workerCommands,
  ...leaseCommands,
  ...conditionCommands,
  ...armedCommands,
  ...rosterCommands,
  ...accessCommands,
  "fleet.create": record({
    fleet: plainName,
    name: plainName,
    contract: contractSchema,
    key,
    fold_case: z.literal(true, { error: "true, or absent" }).optional(),
  }),
  "fleet.pause": record({ reason }),
  "fleet.resume": record({ reason }),
  "fleet.kill": record({ reason }),
  "fleet.recover": record({
    reason,
    kept_hash: sha256Hex,
    remembered_seq: integer(1, LIMITS.seqMax),
    remembered_hash: sha256Hex,
    remembered_epoch: integer(0, LIMITS.epochMax).optional(),
    workers: z
      .array(manifestSchema, { error: "an array of manifests" })
      .max(LIMITS.adoptionsMax, { error: `at most ${LIMITS.adoptionsMax} manifests` }),
  }),
  "contract.enact": record({ contract: contractSchema }),
  "key.rotate": record({ key }),
  "halt.request": record({
    handle: text(LIMITS.actorTextCharsMax, 1),
    reason,
    proposed: jsonValue(EVIDENCE_LIMITS).optional(),
    lease: leaseId.optional(),
    run_id: text(LIMITS.keyBytesMax, 1).optional(),
  }),
  "clock.tick": record({}),
  "clock.accept": record({ reason, wall_ms: integer(-8.64e15, 8.64e15).optional() }),
  "refusals.suppress": record({
    actor_key: text(LIMITS.actorTextCharsMax * 2, 1),
    count: magnitude,
    window_ms: magnitude,
  }),
  "journal.sign": record({
    at_seq: magnitude,
    head_hash: sha256Hex,
    state_hash: sha256Hex,
    key_id: keyId,
    signature: pattern(/^[A-Za-z0-9_-]{86}$/, "64 bytes as base64url (86 characters)"),
  }),
  "receipt.record": record({
    receipt: jsonObject({ ...STATE_LIMITS, bytesMax: 4 * STATE_LIMITS.bytesMax }),
  }),
};

/** The parsers of the bodies of all commands, by kind. */
const parsers = new Map<string, Parser<unknown>>(
  Object.entries(schemas).map(([kind, schema]) => [kind, parserOf(kind, schema)]),
);

/**
 * Parses the body of a command whose kind is known; messages begin with the kind, unless the caller
 * calls the body otherwise.
 */
export function parseCommandData<K extends CommandKind>(
  kind: K,
  data: unknown,
  place?: Place,
): CommandMap[K] {
  const parse = parsers.get(kind);
  if (parse === undefined) throw unknownKind(kind);
  return parse(data, place) as CommandMap[K];
}

/** Parses `{ kind, data }`, as it crosses a wire or is handed to the loop. */
export function parseCommand(value: unknown): Command {
  const given = isPlainObject(value) ? value : null;
  if (given === null)
    throw new InputError("usage", [
      { path: "command", expected: "an object with kind and data", got: describeValue(value) },
    ]);
  const { kind, data, ...others } = given;
  if (typeof kind !== "string" || !parsers.has(kind)) throw unknownKind(kind);
  const [other] = Object.keys(others);
  if (other !== undefined)
    throw new InputError("usage", [
      {
        path: `command.${other}`,
        expected: "absent (a command has kind and data)",
        got: describeValue(others[other]),
      },
    ]);
  return { kind, data: parseCommandData(kind as CommandKind, data) } as Command;
}

function unknownKind(kind: unknown): InputError {
  const like = typeof kind === "string" ? nearest(kind, [...parsers.keys()]) : undefined;
  const hint = like === undefined ? "" : ` (did you mean ${like}?)`;
  return new InputError("usage", [
    { path: "command.kind", expected: `a kind of command${hint}`, got: describeValue(kind) },
  ]);
}
