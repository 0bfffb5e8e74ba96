import type { serve as serveHere } from "../../compose/server.ts";
import { codeOf } from "../../ports/error-code.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import type { Call, Said } from "../call.ts";
import { integerText } from "../text/integer.ts";
import type { Given, Verb } from "../verb.ts";

type Server = Awaited<ReturnType<typeof serveHere>>;

const portMax = 65_535;

const up: Verb = {
  name: "up",
  summary: "Serve the fleet over HTTP, to programs and to a browser, until Ctrl-C",
  details:
    "Listens on 127.0.0.1:7070, starts the fleet's supervisor where none runs, and keeps it. " +
    "Every request needs a token: `stint token issue` makes them. It prints an address that logs " +
    "a browser in, good once and for a minute. The API is described at /v1/docs. Where others " +
    "can reach it, it wants TLS or --insecure. With --json it says that it serves as one line. " +
    "Its log goes to stderr, as lines of JSON. On SIGTERM it ends its streams and exits with 0; " +
    "workers and supervisor go on.",
  options: [
    { flags: "--host <address>", description: "where to listen (default: 127.0.0.1)" },
    {
      flags: "--port <port>",
      description: "the port; 0: any that is free (default: 7070)",
      parse: integerText("--port", 0, portMax),
    },
    { flags: "--tls-cert <file>", description: "serve by TLS: the certificate, in PEM" },
    { flags: "--tls-key <file>", description: "the certificate's key, in PEM" },
    { flags: "--insecure", description: "listen where others can reach it, without TLS" },
    {
      flags: "--allow-host <name>",
      description: "a name that it is reached by, besides addresses and localhost",
      isList: true,
    },
    {
      flags: "--login <role>",
      description: "who the printed address logs in: viewer, operator or none",
      parse: parseLogin,
    },
    { flags: "--log <file>", description: "write the log there" },
  ],
  examples: ["stint up", "stint up --port 0 --json --login viewer"],
  run,
};

/** The verb that serves. */
export const VERBS: readonly Verb[] = [up];

const LOGINS = ["viewer", "operator", "none"] as const;

type Login = (typeof LOGINS)[number];

function parseLogin(text: string): Login {
  const login = LOGINS.find((known) => known === text);
  if (login !== undefined) return login;
  const expected = `one of ${LOGINS.join(", ")}`;
  throw new InputError("usage", [{ path: "--login", expected, got: describeValue(text) }]);
}

interface UpOptions {
  readonly host?: string;
  readonly port?: number;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly insecure?: boolean;
  readonly allowHost?: readonly string[];
  readonly login?: Login;
  readonly log?: string;
}

async function run(call: Call, { options }: Given): Promise<Said> {
  const { allowHost, log, login = "operator", ...others } = options as UpOptions;
  const { stateDir: dir } = await call.place();
  // Without a fleet there is nothing to serve, and that is said as by every verb.
  await call.read();
  const server = await open({
    dir,
    ...others,
    ...(allowHost === undefined ? {} : { hostNames: allowHost }),
    ...(log === undefined ? {} : { logFile: log }),
  });
  try {
    const loginUrl = login === "none" ? null : await server.loginUrl(login);
    const { url, port } = server;
    call.line({ kind: "serving", url, port, login_url: loginUrl, pid: process.pid });
    call.print(`serving ${url}`);
    if (loginUrl !== null) call.print(`log in within a minute: ${loginUrl}`);
    await untilTold(call.signal);
  } finally {
    await server.close();
  }
  // To be told to end is how it ends.
  return { data: { url: server.url }, text: "", exit: 0 };
}

async function open(options: {
  readonly dir: string;
  readonly host?: string;
  readonly port?: number;
}): Promise<Server> {
  const { PORT_DEFAULT, serve } = await import("../../compose/server.ts");
  try {
    return await serve(options);
  } catch (error) {
    const { host = "127.0.0.1", port = PORT_DEFAULT } = options;
    const wrong = (path: string, expected: string, got: string): InputError =>
      new InputError("usage", [{ path, expected, got }]);
    switch (codeOf(error)) {
      case "EADDRINUSE":
        throw wrong("--port", "a port that is free", `${port}, which another program has`);
      case "EACCES":
        throw wrong("--port", "a port that this user may have", String(port));
      case "EADDRNOTAVAIL":
      case "ENOTFOUND":
        throw wrong("--host", "an address of this host", describeValue(host));
      default:
        throw error;
    }
  }
}

/** Resolves when this process is told to end; keeps it running until then. */
async function untilTold(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const keep = setInterval(() => undefined, 2 ** 30);
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise.finally(() => clearInterval(keep));
}
