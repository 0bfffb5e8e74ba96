import type { Call, Said } from "../call.ts";
import { PART_OPTIONS, TTL_OPTION } from "../ground/acquiring.ts";
import { giveAsHolder, HOLDER_OPTIONS, LANE_OPTION } from "../ground/as-holder.ts";
import { regionOf } from "../ground/asked.ts";
import { CREDENTIAL_HELP } from "../ground/credential.ts";
import { documentOf, groundText } from "../ground/lease-said.ts";
import { durationText, instantText } from "../text/duration.ts";
import type { Given, Verb } from "../verb.ts";

const renew: Verb = {
  name: "lease renew",
  summary: "Move the end of a lease, as its holder",
  details:
    "Has a lease last for its ttl from now on, or for another. Answers the end that is recorded: " +
    "a renewal that would move it by little leaves it where it is, and none makes it come " +
    `sooner.\n\n${CREDENTIAL_HELP}`,
  parameters: "[id]",
  options: [LANE_OPTION, TTL_OPTION, ...HOLDER_OPTIONS],
  examples: [
    "stint lease renew l-17 --token-file ./token",
    "stint lease renew --lane api --holder 'ci job 7' --token-file ./token --ttl 10m --json",
  ],
  isForWorkers: true,
  run: runRenew,
};

const release: Verb = {
  name: "lease release",
  summary: "End a lease, as its holder",
  details:
    "Gives a lease back, whatever the fleet is like. What was lent of it stays with whom it was " +
    `lent to.\n\n${CREDENTIAL_HELP}`,
  parameters: "[id]",
  options: [LANE_OPTION, ...HOLDER_OPTIONS],
  examples: [
    "stint lease release l-17 --token-file ./token",
    "stint lease release --lane api --holder w-abcd",
  ],
  isForWorkers: true,
  run: runRelease,
};

const narrow: Verb = {
  name: "lease narrow",
  summary: "Give back all of a lease but a part, as its holder",
  details:
    "Leaves a lease with a smaller region, which must lie in its own. The fence stays." +
    `\n\n${CREDENTIAL_HELP}`,
  parameters: "[id]",
  options: [LANE_OPTION, ...PART_OPTIONS, ...HOLDER_OPTIONS],
  examples: ["stint lease narrow l-17 --region 'src/api/users/**' --token-file ./token"],
  isForWorkers: true,
  run: runNarrow,
};

/** The verbs by which a holder keeps a lease, or gives back what is his. */
export const VERBS: readonly Verb[] = [renew, release, narrow];

async function runRenew(call: Call, given: Given): Promise<Said> {
  const { ttl } = given.options as { readonly ttl?: number };
  const { lease, seq, id } = await giveAsHolder(call, given, (named) => {
    return { kind: "lease.renew", data: ttl === undefined ? named : { ...named, ttl_ms: ttl } };
  });
  // It was renewed and has ended since: by then its holder has nothing to count on.
  if (lease === undefined) return { data: { lease_id: id, expires_at_ms: null }, text: ENDED, seq };
  const left = durationText(lease.ttlMs);
  const text = `${id} lasts until ${instantText(lease.expiresAtMs)} (${left} at a time)`;
  return { data: documentOf(lease), text, seq };
}

const ENDED = "renewed, and ended since";

async function runRelease(call: Call, given: Given): Promise<Said> {
  const { seq, id } = await giveAsHolder(call, given, (data) => ({ kind: "lease.release", data }));
  return { data: { lease_id: id }, text: `${id} is released`, seq };
}

async function runNarrow(call: Call, given: Given): Promise<Said> {
  const { region: patterns, exclude } = given.options as {
    readonly region: readonly string[];
    readonly exclude?: readonly string[];
  };
  const region = regionOf(patterns, exclude);
  const { lease, seq, id } = await giveAsHolder(call, given, (named) => {
    return { kind: "lease.narrow", data: { ...named, region } };
  });
  if (lease === undefined) return { data: { lease_id: id, region: [...region] }, text: id, seq };
  return { data: documentOf(lease), text: `${id} is now ${groundText(lease)}`, seq };
}
