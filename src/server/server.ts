import type { OpenedMember } from "../library/fleet/open-fleet.ts";
import { freshToken } from "../library/access/fresh-token.ts";
import type { Log } from "../ports/log.ts";
import { Refused, refusedAnswer } from "../library/refused.ts";
import { makeApp, type App } from "./app.ts";
import { BusLink } from "./bus-link.ts";
import { listen, type ListenOptions } from "./listener.ts";

/** How long a login code is good, ms. */
const codeMs = 60_000;

/** How a server is opened on a fleet. */
export interface ServerOptions extends Pick<ListenOptions, "host" | "port" | "tls"> {
  /** Names besides addresses and `localhost` that it is reached by. */
  readonly hostNames: readonly string[];
  readonly log: Log;
  readonly version: string;
  /** Whether it starts a supervisor where none runs, and keeps it. */
  readonly keepsSupervisor: boolean;
}

/** A server that serves. */
export interface Server {
  readonly url: string;
  readonly port: number;
  /** Issues a login code and answers the address that brings a browser in, once, for a minute. */
  loginUrl(role: "viewer" | "operator"): Promise<string>;
  /** Ends the streams, answers what is under way, lets go of the fleet; safe to call twice. */
  close(): Promise<void>;
}

/** Serves a fleet that is open, which is closed with it. Throws what listening throws. */
export async function openServer(
  { fleet, member }: OpenedMember,
  options: ServerOptions,
): Promise<Server> {
  const { log, version, hostNames, tls, host, port, keepsSupervisor } = options;
  const { seat } = member;
  const isWanted = (): boolean => keepsSupervisor && seat.loop.state().status !== "killed";
  const bus = new BusLink({ door: seat.store.supervisor, isWanted, log });
  const world = { fleet, member, bus, log, version };
  const app: App = makeApp({ world, hostNames, isTls: tls !== undefined });
  const end = async (): Promise<void> => {
    app.close();
    await bus.close();
    await fleet.close();
  };
  try {
    const so = { host, port, answer: app.answer };
    const listener = await listen(tls === undefined ? so : { ...so, tls });
    if (keepsSupervisor) void bus.keep();
    const url = `${tls === undefined ? "http" : "https"}://${urlHost(host)}:${listener.port}`;
    let closing: Promise<void> | undefined;
    const close = async (): Promise<void> => {
      app.close();
      await listener.close();
      await end();
    };
    return {
      url,
      port: listener.port,
      loginUrl: async (role) => `${url}/#login=${await issueCode(member, role)}`,
      close: () => {
        closing ??= close();
        return closing;
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** An address of version 6 stands in brackets in a URL; that of all addresses leads nowhere. */
function urlHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}

async function issueCode(
  { seat }: OpenedMember["member"],
  role: "viewer" | "operator",
): Promise<string> {
  const { secret, ...fresh } = freshToken();
  const data = { ...fresh, role, label: "login", lifetime_ms: codeMs, once: true } as const;
  const answer = await seat.loop.submit({ kind: "token.issue", data }, seat.owner);
  if (answer.ok) return secret;
  throw new Refused(refusedAnswer(answer.refusal).refusal, answer.seq);
}
