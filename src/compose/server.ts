// One of the files that know adapters: what a process needs that serves a fleet over HTTP. Apart
// from library.ts, because no other start is to load a server and its schemas.

import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { sqlite, thisMachine } from "./library.ts";
import { openMemberIn } from "../library/fleet/open-fleet.ts";
import { describeValue, InputError } from "../protocol/input.ts";
import { openServerLog } from "../server/log.ts";
import { openServer, type Server } from "../server/server.ts";
import { VERSION } from "../system/version.ts";

/** How a fleet is served. */
export interface ServeOptions {
  /** The state folder of the fleet. */
  readonly dir: string;
  /** The address that is listened on; default `127.0.0.1`. */
  readonly host?: string;
  /** Default 7070; 0: any that is free. */
  readonly port?: number;
  /** Files in PEM, both or none. */
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /** Whether an address that others reach may be listened on without TLS; default false. */
  readonly insecure?: boolean;
  /** Names that it is reached by, besides addresses and `localhost`. */
  readonly hostNames?: readonly string[];
  /** Where its log goes; default stderr. */
  readonly logFile?: string;
  /** Whether a supervisor is started where none runs, and kept; default true. */
  readonly keepsSupervisor?: boolean;
}

/** The port that is listened on unless another is said. */
export const PORT_DEFAULT = 7070;

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

/**
 * Serves a fleet over HTTP until it is closed. Throws an InputError for an address that others
 * reach without TLS, unless that is asked for, and for files that cannot be read; `Fault`s of the
 * store; and what the system says to listening.
 */
export async function serve(options: ServeOptions): Promise<Server> {
  const { dir, host = "127.0.0.1", port = PORT_DEFAULT, hostNames = [] } = options;
  const tls = tlsOf(options);
  if (tls === undefined && !LOOPBACK.test(host) && options.insecure !== true) {
    const expected = "an address of this host alone, or given with --tls-cert and --tls-key";
    throw new InputError("usage", [{ path: "--host", expected, got: describeValue(host) }]);
  }
  const log = openServerLog(options.logFile);
  const world = { ...thisMachine(), log };
  const store = sqlite({ dir });
  const opened = await openMemberIn(world, { store, steward: false, log });
  const server = await openServer(opened, {
    host,
    port,
    hostNames: LOOPBACK.test(host) ? hostNames : [host, ...hostNames],
    log,
    version: VERSION,
    keepsSupervisor: options.keepsSupervisor ?? true,
    ...(tls === undefined ? {} : { tls }),
  });
  return {
    url: server.url,
    port: server.port,
    loginUrl: (role) => server.loginUrl(role),
    close: async () => {
      await server.close();
      log.close();
    },
  };
}

function tlsOf({
  tlsCert,
  tlsKey,
}: ServeOptions): { readonly cert: string; readonly key: string } | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  const [cert, key] = [readPem("--tls-cert", tlsCert), readPem("--tls-key", tlsKey)];
  const certificate = parsed("--tls-cert", "a certificate in PEM", () => new X509Certificate(cert));
  const own = parsed("--tls-key", "a private key in PEM, not encrypted", () =>
    createPrivateKey(key),
  );
  if (certificate.checkPrivateKey(own)) return { cert, key };
  const got = `one of another, for ${describeValue(certificate.subject)}`;
  const expected = "the certificate of the key given by --tls-key";
  throw new InputError("usage", [{ path: "--tls-cert", expected, got }]);
}

function readPem(path: string, file: string | undefined): string {
  const expected = "a file in PEM that can be read";
  if (file === undefined)
    throw new InputError("usage", [{ path, expected, got: "nothing beside the other" }]);
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw new InputError("usage", [{ path, expected, got: describeValue(file) }]);
  }
}

/** What a text of PEM is. What is in a key's file is not shown, whatever it turns out to be. */
function parsed<T>(path: string, expected: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new InputError("usage", [{ path, expected, got: "a file without one" }]);
  }
}
