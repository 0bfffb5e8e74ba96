import { z } from "zod";
import type { CommandMap } from "../../kernel/command.ts";
import { TOKEN_ROLES } from "../../kernel/access/token.ts";
import { LIMITS } from "../../kernel/limits.ts";
import {
  integer,
  oneOf,
  pattern,
  plainName,
  record,
  sha256Hex,
  workerReference,
} from "../scalar.ts";
import { serviceName } from "./roster.ts";

/** A token's id; its secret is another text, and never crosses into a command. */
export const tokenId: z.ZodType<string> = pattern(
  /^t-[a-z2-7]{16}$/,
  'a token id ("t-" and 16 letters a to z or digits 2 to 7)',
);

const lifetimeMs = integer(LIMITS.tokenLifetimeMsMin, LIMITS.tokenLifetimeMsMax);

const issue = record({
  token: tokenId,
  role: oneOf(TOKEN_ROLES),
  label: plainName.optional(),
  service: serviceName.optional(),
  worker: workerReference.optional(),
  hash: sha256Hex,
  lifetime_ms: lifetimeMs,
  once: z.literal(true, { error: "true, or absent" }).optional(),
}).superRefine((given, context) => {
  const { role, once, lifetime_ms } = given;
  for (const field of ["service", "worker"] as const) {
    const isMeant = role === field;
    if (isMeant === (given[field] !== undefined)) continue;
    const message = isMeant ? `the one ${field} that it is for` : `absent for the role "${role}"`;
    context.addIssue({ code: "custom", path: [field], message });
  }
  if (once !== true) return;
  if (role !== "viewer" && role !== "operator")
    context.addIssue({ code: "custom", path: ["once"], message: `absent for the role "${role}"` });
  if (lifetime_ms > LIMITS.loginCodeMsMax) {
    const message = `an integer from ${LIMITS.tokenLifetimeMsMin} to ${LIMITS.loginCodeMsMax}`;
    context.addIssue({ code: "custom", path: ["lifetime_ms"], message: `${message}, for once` });
  }
}) as unknown as z.ZodType<CommandMap["token.issue"]>;

/** The schemas of the bodies of commands about access tokens. */
export const accessCommands = {
  "token.issue": issue,
  "token.exchange": record({
    token: tokenId,
    into: record({ token: tokenId, hash: sha256Hex, lifetime_ms: lifetimeMs }),
  }),
  "token.revoke": record({ token: tokenId }),
};
