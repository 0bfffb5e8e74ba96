import { readFileSync } from "node:fs";
import type { Claim } from "../../kernel/lease/lease.ts";
import type { Desk } from "../../library/desk/desk.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { sha256Of } from "../../runtime/canonical.ts";
import { codeOf } from "../../ports/error-code.ts";
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
  "worker by --holder; a worker needs neither.";

/** What was typed of a credential. */
export interface TypedCredential {
  readonly holder?: string;
  readonly token?: string;
  readonly tokenFile?: string;
}

/**
 * What is claimed of a lease by what was typed, or stands in the environment. What is missing or
 * wrong in it is for the rules to refuse, on record. Throws an InputError for a file that cannot
 * be read and for two tokens.
 */
export async function claimOf(
  desk: Pick<Desk, "self" | "findWho">,
  typed: TypedCredential,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Claim> {
  const { holder } = typed;
  const who = holder === undefined ? undefined : await desk.findWho(holder, "--holder");
  if (who !== undefined && "worker" in who) return who;
  if (who === undefined && desk.self !== null) return { worker: desk.self };
  const token = tokenOf(typed, env);
  return { ...who, ...(token === undefined ? {} : { token_hash: sha256Of(token) }) };
}

/** The token that was typed, or that the environment has; undefined where there is none. */
export function tokenOf(
  { token, tokenFile }: TypedCredential,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (token !== undefined && tokenFile !== undefined)
    throw wrong("--token", "absent where --token-file is given", "both");
  if (token !== undefined) return token.trim();
  if (tokenFile !== undefined) return readToken(tokenFile, "--token-file");
  const { [TOKEN_VARIABLE]: inherited, [TOKEN_FILE]: inheritedFile } = env;
  if (inherited !== undefined && inherited !== "") return inherited.trim();
  if (inheritedFile === undefined || inheritedFile === "") return undefined;
  return readToken(inheritedFile, TOKEN_FILE);
}

function readToken(file: string, path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
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
