import { durationOption } from "../../config/amount.ts";
import { TOKEN_ROLES, type TokenRole } from "../../kernel/access/token.ts";
import { freshToken } from "../../library/access/fresh-token.ts";
import type { PlainAnswer } from "../../library/plain-command.ts";
import { Refused, refusedAnswer } from "../../library/refused.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import type { Call, Said } from "../call.ts";
import { liveTokens, tokenData, tokensText } from "../serving/tokens.ts";
import type { Given, Verb } from "../verb.ts";

/** How long a token is good unless it is said, ms: a month. */
const lifetimeMsDefault = 30 * 86_400_000;

const issue: Verb = {
  name: "token issue",
  summary: "Make a token for the HTTP API, and print its secret this once",
  details:
    "A viewer reads, an operator does what the command line does. A worker's token speaks for " +
    "one worker, a service's beats for one name. Only the hash of the secret is kept.",
  options: [
    {
      flags: "--role <role>",
      description: "viewer, operator, worker or service",
      isRequired: true,
      parse: parseRole,
    },
    { flags: "--label <text>", description: "what it is for, for the record" },
    { flags: "--service <name>", description: "with the role service: the name it beats for" },
    { flags: "--worker <id>", description: "with the role worker: whom it speaks for" },
    {
      flags: "--lifetime <duration>",
      description: "how long it is good (default: 30d, at most 365d)",
      parse: durationOption("--lifetime"),
    },
  ],
  examples: [
    "stint token issue --role viewer --label dashboard",
    "stint token issue --role service --service api --lifetime 90d",
  ],
  run: runIssue,
};

const list: Verb = {
  name: "token list",
  summary: "List the tokens that are live",
  details: "Their secrets are not known any more; each shows what it is bound to and how long.",
  examples: ["stint token list", "stint token list --json"],
  run: runList,
};

const revoke: Verb = {
  name: "token revoke",
  summary: "Revoke a token at once, its open streams too",
  parameters: "<id>",
  examples: ["stint token revoke t-abcdefghijklmnop"],
  run: runRevoke,
};

/** The verbs about access tokens. */
export const VERBS: readonly Verb[] = [issue, list, revoke];

function parseRole(text: string): TokenRole {
  const role = TOKEN_ROLES.find((known) => known === text);
  if (role !== undefined) return role;
  const expected = `one of ${TOKEN_ROLES.join(", ")}`;
  throw new InputError("usage", [{ path: "--role", expected, got: describeValue(text) }]);
}

async function runIssue(call: Call, { options }: Given): Promise<Said> {
  const { lifetime = lifetimeMsDefault, ...others } = options as {
    readonly role: TokenRole;
    readonly label?: string;
    readonly service?: string;
    readonly worker?: string;
    readonly lifetime?: number;
  };
  const fleet = await call.openFleet({ steward: false });
  const { role, label, service, worker } = others;
  const { secret, ...fresh } = freshToken();
  const wanted = Object.fromEntries(
    Object.entries({ label, service, worker }).filter(([, value]) => value !== undefined),
  );
  const data = { ...fresh, role, ...wanted, lifetime_ms: lifetime };
  const { entries, seq } = granted(await fleet.submit({ kind: "token.issue", data }));
  const issued = entries.find(({ kind }) => kind === "token.issued");
  const expires_at_ms = issued?.kind === "token.issued" ? issued.data.expires_at_ms : null;
  call.note(`token ${fresh.token}: its secret is shown this once`);
  return { data: { token: fresh.token, role, secret, expires_at_ms }, text: secret, seq };
}

async function runList(call: Call): Promise<Said> {
  const { state, seq, nowMs } = await call.read();
  const tokens = liveTokens(state.access.values(), nowMs);
  return { data: { tokens: tokens.map(tokenData) }, text: tokensText(tokens, nowMs), seq };
}

async function runRevoke(call: Call, { parameters }: Given): Promise<Said> {
  const token = String(parameters[0]);
  const fleet = await call.openFleet({ steward: false });
  const { seq } = granted(await fleet.submit({ kind: "token.revoke", data: { token } }));
  return { data: { token }, text: `${token} is revoked`, seq };
}

function granted(answer: PlainAnswer): Extract<PlainAnswer, { readonly ok: true }> {
  if (answer.ok) return answer;
  throw new Refused(refusedAnswer(answer.refusal).refusal, answer.seq);
}
