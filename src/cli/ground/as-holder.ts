import type { Command } from "../../kernel/command.ts";
import type { Claim } from "../../kernel/lease/lease.ts";
import type { Desk, DeskAnswer } from "../../library/desk/desk.ts";
import type { Call } from "../call.ts";
import { integerText } from "../text/integer.ts";
import type { Given, VerbOption } from "../verb.ts";
import { RUN_ID_OPTION } from "./acquiring.ts";
import { laneOption } from "./asked.ts";
import {
  claimOf,
  CREDENTIAL_OPTIONS,
  sourcesOf,
  tellingSource,
  type TypedCredential,
} from "./credential.ts";
import { atDesk } from "./desk.ts";
import { findLeaseId, typedLease } from "./which-lease.ts";

/** What every command about a lease that is held says: which one, and as whom. */
export interface Named {
  readonly lease: string;
  readonly claim: Claim;
  readonly fence?: number;
  readonly run_id?: string;
}

/** Names the lease by its lane instead of its id. */
export const LANE_OPTION: VerbOption = {
  flags: "--lane <lane>",
  description: "the lease by the lane that it was granted on",
  parse: laneOption("--lane"),
};

/** The options of every verb that a lease's holder calls. */
export const HOLDER_OPTIONS: readonly VerbOption[] = [
  ...CREDENTIAL_OPTIONS,
  {
    flags: "--fence <fence>",
    description: "the fence that is believed to be the lease's; another is refused",
    parse: integerText("--fence", 1),
  },
  RUN_ID_OPTION,
];

/** Gives a command as the holder of the lease that was typed, by its id or its lane. */
export function giveAsHolder(
  call: Call,
  given: Given,
  make: (named: Named, desk: Desk) => Command | Promise<Command>,
): Promise<DeskAnswer & { readonly id: string }> {
  const typed = typedLease(given);
  const { fence, runId, ...credential } = given.options as TypedCredential & {
    readonly fence?: number;
    readonly runId?: string;
  };
  return atDesk(call, async (desk) => {
    const shown = await claimOf(desk, credential, sourcesOf(call));
    const { claim, token } = shown;
    const lease = await findLeaseId(call, typed, { claim, desk });
    const named = {
      lease,
      claim,
      ...(fence === undefined ? {} : { fence }),
      ...(runId === undefined ? {} : { run_id: runId }),
    };
    const giving = desk.give(await make(named, desk), { token });
    return { id: lease, ...(await tellingSource(shown, giving)) };
  });
}
