import { readFileSync } from "node:fs";
import { RemoteBus } from "../../client/http/bus-line.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import type { VerbOption } from "../verb.ts";

/** The environment variables that say which server is meant, and with which token. */
const URL_VARIABLE = "STINT_URL";
const TOKEN_VARIABLE = "STINT_TOKEN_FILE";

/** The options of verbs that can be given to a server in place of this host's supervisor. */
export const REMOTE_OPTIONS: readonly VerbOption[] = [
  {
    flags: "--url <url>",
    description: `ask the server of \`stint up\` there (default: ${URL_VARIABLE}, else this host)`,
  },
  {
    flags: "--token-file <path>",
    description: `with --url: the file with the token (default: ${TOKEN_VARIABLE})`,
  },
];

/**
 * The server that is meant; undefined where it is this host's supervisor. Throws an InputError
 * where there is no URL to speak of, or no token to show.
 */
export function remoteBus(options: Readonly<Record<string, unknown>>): RemoteBus | undefined {
  const url = textOf(options["url"]) ?? textOf(process.env[URL_VARIABLE]);
  const file = textOf(options["tokenFile"]) ?? textOf(process.env[TOKEN_VARIABLE]);
  if (url === undefined) {
    if (options["tokenFile"] === undefined) return undefined;
    throw wrong("--url", "given with --token-file", "nothing");
  }
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !["http:", "https:"].includes(parsed.protocol))
    throw wrong("--url", "an address as http://127.0.0.1:7070", describeValue(url));
  if (file === undefined)
    throw wrong("--token-file", `the file with a token, given or in ${TOKEN_VARIABLE}`, "nothing");
  return new RemoteBus({ url: parsed.origin, token: readToken(file) });
}

function readToken(file: string): string {
  try {
    const token = readFileSync(file, "utf8").trim();
    if (token !== "") return token;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw wrong("--token-file", "a file that can be read", why);
  }
  throw wrong("--token-file", "a file with a token", "an empty one");
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function wrong(path: string, expected: string, got: string): InputError {
  return new InputError("usage", [{ path, expected, got }]);
}
