import { readFileSync, statSync } from "node:fs";
import type { Claim } from "../../kernel/lease/lease.ts";
import type { Desk } from "../../library/desk/desk.ts";
import { tokenHash } from "../../library/ground/shown-token.ts";
import { onlyWorkers } from "../../library/lease/options.ts";
import { Refused } from "../../library/refused.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { codeOf } from "../../ports/error-code.ts";
import type { Call } from "../call.ts";
import type { VerbOption } from "../verb.ts";
import { holderOption } from "./asked.ts";

/** The variable that holds the token of a lease. */
export const TOKEN_VARIABLE = "STINT_LEASE_TOKEN";

/** The variable that names a file with it, as `lease with` sets it. */
export const TOKEN_FILE = "STINT_LEASE_TOKEN_FILE";

/** More than any token has: a wrong file is not read into memory. */
const tokenBytesMax = 4_096;

/** What shows who somebody is that acts on a lease. */
export const CREDENTIAL_OPTIONS: readonly VerbOption[] = [
  {
    flags: "--holder <holder>",
    description: "who holds it: a worker, or an outside party's name",
    parse: holderOption("--holder"),
  },
  { flags: "--token <token>", description: "the lease's token; others can see it in `ps`" },
  { flags: "--token-file <file>", description: "a file with the lease's token" },
];

/** What `--help` says of credentials. */
export const CREDENTIAL_HELP =
  "Whoever is no worker shows the token that the lease was granted with: by --token-file, " +
  `${TOKEN_VARIABLE}, ${TOKEN_FILE}, or --token. For a worker's lease the operator names the ` +
  "worker by --holder; a worker needs neither. A file with a token, for nobody else to read: " +
  "`(umask 077; stint lease acquire … --json | jq -r .data.token > token)`.";

/** What was typed of a credential. */
export interface TypedCredential {
  readonly holder?: string;
  readonly token?: string;
  readonly tokenFile?: string;
}

/** Where a credential may stand that was not typed, and how its user is told something of it. */
export interface CredentialSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly note: Call["note"];
}

/** Those of a call. */
export function sourcesOf(call: Call): CredentialSources {
  return { env: process.env, note: (text) => call.note(text) };
}

/** What is claimed of a lease, and the token whose hash the claim has. */
export interface Credential {
  readonly claim: Claim;
  readonly token?: string;
  /** The variable that the token stood in, or the name of its file, where nobody typed either. */
  readonly variable?: string;
}

/**
 * What is claimed of a lease by what was typed, or stands in the environment. What is missing or
 * wrong in it is for the rules to refuse, on record. Throws an InputError for a file that cannot
 * be read and for two tokens.
 */
export async function claimOf(
  desk: Pick<Desk, "self" | "findWho">,
  typed: TypedCredential,
  so: CredentialSources,
): Promise<Credential> {
  const { holder } = typed;
  const who = holder === undefined ? undefined : await desk.findWho(holder, "--holder");
  if (who !== undefined && "worker" in who) return { claim: who };
  if (desk.self !== null) {
    if (who !== undefined) throw onlyWorkers(who.name, "--holder");
    demandNoToken(typed);
    return { claim: { worker: desk.self } };
  }
  const token = tokenOf(typed, so);
  if (token === undefined) return { claim: { ...who } };
  const shown = { claim: { ...who, token_hash: tokenHash(token) }, token };
  if (typed.token !== undefined || typed.tokenFile !== undefined) return shown;
  return { ...shown, variable: isSet(so.env[TOKEN_VARIABLE]) ? TOKEN_VARIABLE : TOKEN_FILE };
}

/** Has the refusal of a token that nobody typed say where it came from. */
export async function tellingSource<T>(
  shown: Pick<Credential, "variable"> | undefined,
  giving: Promise<T>,
): Promise<T> {
  try {
    return await giving;
  } catch (error) {
    const variable = shown?.variable;
    const isOfToken = error instanceof Refused && error.code === "holder_mismatch";
    if (variable === undefined || !isOfToken) throw error;
    const { refusal, seq } = error;
    const message = `${refusal.message}; the token came from ${variable}`;
    throw new Refused({ ...refusal, message }, seq);
  }
}

function isSet(text: string | undefined): boolean {
  return text !== undefined && text !== "";
}

/** A worker is known by its own socket: a token that it shows is not what it is taken for. */
function demandNoToken(typed: TypedCredential): void {
  for (const [path, given] of [
    ["--token", typed.token],
    ["--token-file", typed.tokenFile],
  ] as const) {
    const expected = "absent (a worker holds its leases as itself)";
    if (given !== undefined) throw new InputError("usage", [{ path, expected, got: "one" }]);
  }
}

/** The token that was typed, or that the environment has; undefined where there is none. */
export function tokenOf(
  { token, tokenFile }: TypedCredential,
  { env, note }: CredentialSources,
): string | undefined {
  if (token !== undefined && tokenFile !== undefined)
    throw wrong("--token", "absent where --token-file is given", "both");
  if (token !== undefined) return token.trim();
  if (tokenFile !== undefined) return readToken(tokenFile, { path: "--token-file", note });
  const { [TOKEN_VARIABLE]: inherited, [TOKEN_FILE]: inheritedFile } = env;
  if (inherited !== undefined && inherited !== "") return inherited.trim();
  if (inheritedFile === undefined || inheritedFile === "") return undefined;
  return readToken(inheritedFile, { path: TOKEN_FILE, note });
}

/** The bits of a file's mode that let its group, or everybody, read it. */
const READ_BY_OTHERS = 0o044;

function readToken(
  file: string,
  { path, note }: { readonly path: string; readonly note: CredentialSources["note"] },
): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
    if ((statSync(file).mode & READ_BY_OTHERS) !== 0)
      note(`others can read the token in ${describeValue(file)}; keep it with mode 600`);
  } catch (error) {
    const got = `${describeValue(file)} (${codeOf(error)})`;
    throw wrong(path, "a file that can be read", got);
  }
  if (bytes.length > tokenBytesMax)
    throw wrong(path, "a file with a token", `one of ${bytes.length} bytes`);
  return bytes.toString("utf8").trim();
}

function wrong(path: string, expected: string, got: string): InputError {
  return new InputError("usage", [{ path, expected, got }]);
}
