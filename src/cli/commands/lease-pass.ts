import type { CommandMap } from "../../kernel/command.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { Named } from "../../library/explain/words.ts";
import type { LeaseView } from "../../library/lease/view.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import type { Call, Said } from "../call.ts";
import {
  HOLDER_HELP,
  NEW_TTL_OPTION,
  PART_OPTIONS,
  RUN_ID_OPTION,
  TTL_OPTION,
} from "../ground/acquiring.ts";
import { giveAsHolder, HOLDER_OPTIONS, LANE_OPTION } from "../ground/as-holder.ts";
import { holderOption, keyOption, leaseIdText, reasonOption, regionOf } from "../ground/asked.ts";
import { findBorrower } from "../ground/borrower.ts";
import {
  claimOf,
  sourcesOf,
  tellingSource,
  CREDENTIAL_HELP,
  CREDENTIAL_OPTIONS,
  type TypedCredential,
} from "../ground/credential.ts";
import { atDesk } from "../ground/desk.ts";
import {
  affectedText,
  documentOf,
  heldDocument,
  heldText,
  takenText,
} from "../ground/lease-said.ts";
import { lentOf, readHeld } from "../ground/leases.ts";
import type { Given, Verb } from "../verb.ts";

const split: Verb = {
  name: "lease split",
  summary: "Lend a part of a lease to a worker below its holder",
  details:
    "Grants a worker below the holder a lease of its own on a part of the ground. Until that one " +
    "ends the lender has no right there; it never ends after the lender's, unless that is " +
    `released before.\n\n${CREDENTIAL_HELP}`,
  parameters: "[id]",
  options: [
    LANE_OPTION,
    {
      flags: "--to <worker>",
      description: "the worker that it is lent to, by its id or name",
      parse: holderOption("--to"),
      isRequired: true,
    },
    ...PART_OPTIONS,
    NEW_TTL_OPTION,
    { flags: "--key <key>", description: "makes asking again safe", parse: keyOption("--key") },
    ...HOLDER_OPTIONS,
  ],
  examples: ["stint lease split l-17 --to w-abcd --region 'src/api/users/**' --holder w-efgh"],
  isForWorkers: true,
  run: runSplit,
};

const adopt: Verb = {
  name: "lease adopt",
  summary: "Take a lease over, by its token, or from a worker that is named or has ended",
  details:
    "Gives a lease to another holder, under a new fence and, for an outside party, a new token: " +
    "what the holder before does under the old ones is refused, and says who has it now. The " +
    "end is counted anew, from now on. An outside party's lease needs its token. A worker has " +
    "none: one that lives is named by --from, as `--from worker:NAME`, and of one that has " +
    "ended the lease is an --orphan. A worker that calls takes orphans over for itself, and " +
    "hands over its own." +
    `\n\n${HOLDER_HELP}`,
  parameters: "<id>",
  options: [
    {
      flags: "--holder <holder>",
      description: "who is to have it (required, but from a worker)",
      parse: holderOption("--holder"),
    },
    { flags: "--orphan", description: "its holder was a worker and has ended" },
    ...CREDENTIAL_OPTIONS.filter(({ flags }) => !flags.startsWith("--holder")),
    {
      flags: "--from <holder>",
      description: "who holds it now: needed for the lease of a worker that lives",
      parse: holderOption("--from"),
    },
    TTL_OPTION,
    RUN_ID_OPTION,
  ],
  examples: [
    "stint lease adopt l-17 --holder w-abcd --orphan",
    "stint lease adopt l-17 --holder alice --from worker:lead",
    "stint lease adopt l-17 --holder 'ci job 8' --token-file ./token --json",
  ],
  isForWorkers: true,
  run: runAdopt,
};

const revoke: Verb = {
  name: "lease revoke",
  summary: "End a lease on the operator's word, and what is lent of it",
  details:
    "Takes a lease from its holder without his word. Shows first what ends, and asks; without a " +
    "terminal it needs --yes. The holder is told when it next asks; what it writes meanwhile is " +
    "kept off only where writing is checked against fences. A worker whose ground is mounted " +
    "(`[sandbox] leases`) is frozen until nothing of it can write there, and ended when it has " +
    "files open there after the contract's revoke_grace.",
  parameters: "<id>",
  options: [
    {
      flags: "--reason <text>",
      description: "why, for the record",
      parse: reasonOption,
      isRequired: true,
    },
    RUN_ID_OPTION,
    { flags: "--yes", description: "do not ask" },
  ],
  examples: ["stint lease revoke l-17 --reason 'its holder does not answer' --yes"],
  run: runRevoke,
};

/** The verbs by which a lease comes to others, or is taken. */
export const VERBS: readonly Verb[] = [split, adopt, revoke];

async function runSplit(call: Call, given: Given): Promise<Said> {
  const typed = given.options as {
    readonly to: string;
    readonly region: readonly string[];
    readonly exclude?: readonly string[];
    readonly ttl?: number;
    readonly key?: string;
  };
  const { ttl: ttl_ms = LIMITS.leaseTtlMsDefault, key } = typed;
  const region = regionOf(typed.region, typed.exclude);
  const { lease, token, seq, id } = await giveAsHolder(call, given, async (named, desk) => {
    const to = await findBorrower(call, desk, typed.to);
    const data = { ...named, region, to, ttl_ms };
    return { kind: "lease.split", data: key === undefined ? data : { ...data, key } };
  });
  if (lease === undefined) return { data: { lender: id }, text: "lent, and ended since", seq };
  const text = heldText(call, lease, { token, doing: `lent of ${id} to ${lease.holder}` });
  return { data: documentOf(lease), text, seq };
}

async function runAdopt(call: Call, { parameters, options }: Given): Promise<Said> {
  const typed = options as TypedCredential & {
    readonly orphan?: true;
    readonly from?: string;
    readonly ttl?: number;
    readonly runId?: string;
  };
  const lease = leaseIdText(parameters[0]);
  return atDesk(call, async (desk) => {
    const to = typed.holder ?? desk.self;
    if (to === null) throw wrong("--holder", "who is to have the lease", undefined);
    const named = await desk.nameHolder(to, "--holder");
    const { token, tokenFile, from } = typed;
    const credential = {
      ...(token === undefined ? {} : { token }),
      ...(tokenFile === undefined ? {} : { tokenFile }),
      ...(from === undefined ? {} : { holder: from }),
    };
    const shown =
      typed.orphan === true ? undefined : await claimOf(desk, credential, sourcesOf(call));
    const { ttl, runId } = typed;
    const data: CommandMap["lease.hand_over"] = {
      lease,
      ...(shown === undefined ? { orphan: true } : { claim: shown.claim }),
      to: named.holder,
      ...(ttl === undefined ? {} : { ttl_ms: ttl }),
      ...(runId === undefined ? {} : { run_id: runId }),
    };
    const giving = desk.give({ kind: "lease.hand_over", data }, { named, token: shown?.token });
    const answer = await tellingSource(shown, giving);
    const { lease: taken, seq } = answer;
    if (taken === undefined) return { data: { lease_id: lease }, text: "taken over", seq };
    const from_ = taken.takenOver?.holder ?? "its holder";
    const text = heldText(call, taken, { ...answer, doing: `taken over from ${from_}` });
    return { data: heldDocument(taken, answer), text, seq };
  });
}

async function runRevoke(call: Call, { parameters, options }: Given): Promise<Said> {
  const id = leaseIdText(parameters[0]);
  const {
    reason,
    runId,
    yes = false,
  } = options as {
    readonly reason: string;
    readonly runId?: string;
    readonly yes?: boolean;
  };
  const { leases, named } = await readHeld(call);
  const doomed = [...leases.filter((lease) => lease.id === id), ...lentOf(leases, id)];
  const mounted = doomed.filter((lease) => lease.mounted.length > 0);
  const taken = mounted.length === 0 ? [] : [await sayTaken(call, mounted, named)];
  // What is none, or has ended, is for the rules to refuse, on record.
  if (doomed.length > 0) {
    call.note([affectedText(doomed, named), ...taken].join("\n"));
    await call.confirm("End them?", yes);
  }
  return atDesk(call, async (desk) => {
    const data = { lease: id, reason, ...(runId === undefined ? {} : { run_id: runId }) };
    const { seq, entries } = await desk.give({ kind: "lease.revoke", data });
    const revoked = entries.flatMap((entry) =>
      entry.kind === "lease.revoked" ? [entry.data.lease] : [],
    );
    const text = [`revoked: ${revoked.join(", ")}`, ...taken].join("\n");
    const lapsing = mounted.map((lease) => lease.id);
    return { data: { lease_id: id, revoked, lapsing }, text, seq };
  });
}

async function sayTaken(call: Call, leases: readonly LeaseView[], named: Named): Promise<string> {
  const { state } = await call.read();
  return takenText(leases, { named, graceMs: state.contract.revoke_grace_ms });
}

function wrong(path: string, expected: string, got: string | undefined): InputError {
  return new InputError("usage", [{ path, expected, got: describeValue(got) }]);
}
