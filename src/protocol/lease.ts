import { z } from "zod";
import { LIMITS } from "../kernel/limits.ts";
import type { GroundRules } from "../kernel/lane/lane.ts";
import { LEASE_MODES, type Claim, type Holder } from "../kernel/lease/lease.ts";
import { isPlainObject } from "./input.ts";
import { parserOf, type Parser } from "./parse.ts";
import {
  flag,
  integer,
  oneOf,
  pattern,
  plainName,
  record,
  sha256Hex,
  text,
  workerReference,
  magnitude,
} from "./scalar.ts";
import { utf8Bytes } from "./text.ts";

/** A lease's id. */
export const leaseId: z.ZodType<string> = pattern(
  /^l-[1-9][0-9]{0,12}$/,
  'a lease id ("l-" and a number)',
);

/** A place's id. */
export const placeId: z.ZodType<string> = pattern(
  /^q-[1-9][0-9]{0,12}$/,
  'a place id ("q-" and a number)',
);

/** The name of an outside holder: any text, spaces and newlines included, compared exactly. */
const holderName = text(LIMITS.holderBytesMax, 1);

/** For the record: a key, the id of a run. */
const mark = text(LIMITS.keyBytesMax, 1);

const ttlMs = integer(LIMITS.leaseTtlMsMin, LIMITS.leaseTtlMsMax);
const fence = integer(1, Number.MAX_SAFE_INTEGER);
const reason = text(LIMITS.reasonBytesMax, 1);

/** A folder's name: it becomes a segment of every path of the worktree. */
const worktree = pattern(
  /^(?!\.{1,2}$)[^/\p{Cc}\p{Cs}\u2028\u2029]{1,255}$/u,
  'the name of a worktree (1 to 255 characters, no "/", no control characters)',
);

/** Patterns of a region, understood only where they are decided. */
export const region = z
  .array(text(LIMITS.regionPatternBytesMax, 1), { error: "an array of patterns" })
  .min(1, { error: "at least one pattern" })
  .max(LIMITS.regionPatternsMax, {
    error: `an array of at most ${LIMITS.regionPatternsMax} patterns`,
  });

/** A lane as somebody calls it; one that is none is refused later, with the nearest. */
const laneReference = text(LIMITS.nameCharsMax, 1);

const workerHolder = record({ worker: workerReference });

const holder = eitherForm<Holder>(
  workerHolder,
  record({
    name: holderName,
    nonce: pattern(/^[a-z2-7]{26}$/, "26 letters a to z or digits 2 to 7"),
    token_hash: sha256Hex,
  }),
);

const claim = eitherForm<Claim>(
  workerHolder,
  record({ name: holderName.optional(), token_hash: sha256Hex.optional() }),
);

/** Whoever names a worker means one; anybody else is an outside party. */
function eitherForm<T>(ofWorker: z.ZodType, ofOutside: z.ZodType): z.ZodType<T> {
  return z.unknown().transform((value, context) => {
    const isWorker = isPlainObject(value) && Object.hasOwn(value, "worker");
    const parsed = (isWorker ? ofWorker : ofOutside).safeParse(value);
    // What the form has made of the value is what its type says.
    if (parsed.success) return parsed.data as T;
    for (const issue of parsed.error.issues)
      // Issues are handed on as they are, so that messages name the very field.
      context.issues.push({ ...issue, input: value } as z.core.$ZodRawIssue);
    return z.NEVER;
  });
}

const asked = z
  .array(laneReference, { error: "an array of lanes" })
  .min(1, { error: "at least one lane" })
  .max(LIMITS.lanesAskedMax, { error: `an array of at most ${LIMITS.lanesAskedMax} lanes` });

const alsoHeld = z
  .array(region, { error: "an array of regions" })
  .max(LIMITS.alsoHeldMax, { error: `an array of at most ${LIMITS.alsoHeldMax} regions` });

const lane = record({
  name: plainName,
  region,
  slots: integer(1, LIMITS.laneSlotsMax).optional(),
  alone: flag.optional(),
  aliases: z
    .array(plainName, { error: "an array of names" })
    .max(LIMITS.laneAliasesMax, {
      error: `an array of at most ${LIMITS.laneAliasesMax} names`,
    })
    .optional(),
  description: text(LIMITS.noteBytesMax).optional(),
});

const lanes = z
  .array(lane, { error: "an array of lanes" })
  .max(LIMITS.lanesMax, { error: `an array of at most ${LIMITS.lanesMax} lanes` })
  .superRefine((given, context) => {
    const bytes = utf8Bytes(JSON.stringify(given));
    if (bytes <= LIMITS.lanesBytesMax) return;
    const message = `lanes of at most ${LIMITS.lanesBytesMax} bytes`;
    const params = { tooLarge: true, got: `${bytes} bytes` };
    context.addIssue({ code: "custom", message, params });
  });

const ground = record({
  lanes,
  worktrees: oneOf(["one_ground", "own_ground"]),
  require: flag,
});

const ofHolder = {
  lease: leaseId,
  claim,
  fence: fence.optional(),
  run_id: mark.optional(),
};

/** The schemas of the bodies of commands about leases and lanes. */
export const leaseCommands = {
  "lanes.enact": ground,
  "lane.announce": record({
    lane: laneReference,
    holder: holderName,
    note: text(LIMITS.noteBytesMax).optional(),
    run_id: mark.optional(),
  }),
  "lease.acquire": record({
    region: region.optional(),
    lanes: asked.optional(),
    mode: oneOf(LEASE_MODES).optional(),
    holder,
    ttl_ms: ttlMs,
    key: mark.optional(),
    run_id: mark.optional(),
    also_held: alsoHeld.optional(),
    worktree: worktree.optional(),
    wait_ms: integer(LIMITS.waitMsMin, LIMITS.waitMsMax).optional(),
  }).superRefine((given, context) => {
    const { region: patterns, lanes: names } = given;
    if ((patterns === undefined) !== (names === undefined)) return;
    const [field, message] =
      patterns === undefined
        ? ["region", "an array of patterns, unless lanes are asked for"]
        : ["lanes", "absent where a region is asked for"];
    context.addIssue({ code: "custom", path: [field], message });
  }),
  "lease.renew": record({ ...ofHolder, ttl_ms: ttlMs.optional() }),
  "lease.release": record(ofHolder),
  "lease.narrow": record({ ...ofHolder, region }),
  "lease.split": record({
    ...ofHolder,
    region,
    to: workerReference,
    ttl_ms: ttlMs,
    key: mark.optional(),
  }),
  "lease.hand_over": record({
    ...ofHolder,
    claim: claim.optional(),
    orphan: z.literal(true, { error: "true, or absent" }).optional(),
    to: holder,
    ttl_ms: ttlMs.optional(),
  }).superRefine((given, context) => {
    if (given.claim !== undefined || given.orphan === true) return;
    const message = "an object, unless it is an orphan's";
    context.addIssue({ code: "custom", path: ["claim"], message });
  }),
  "lease.revoke": record({ lease: leaseId, reason, run_id: mark.optional() }),
  "place.keep": record({ place: placeId, claim }),
  "place.leave": record({ place: placeId, claim }),
  "place.cancel": record({ place: placeId, reason }),
  "lease.mount": record({ lease: leaseId, worker: plainName }),
  "lease.fence": record({
    lease: leaseId,
    worker: plainName,
    waited_ms: magnitude,
    was_frozen: z.boolean({ error: "true or false" }),
  }),
};

/** Parses what is to be enacted about ground. */
export const parseGroundRules: Parser<GroundRules> = parserOf(
  "ground",
  ground as unknown as z.ZodType<GroundRules>,
);
