import { isIP } from "node:net";
import type { MiddlewareHandler } from "hono";
import { answerProblem } from "../answer/problem.ts";

/** Names that lead to this very host, whatever a name server says. */
const LOOPBACK_NAMES: readonly string[] = ["localhost"];

/** The status of a request that was meant for another server (RFC 9110, 15.5.20). */
const MISDIRECTED = 421;

/**
 * Lets through what names this server by an address, by `localhost`, or by a name that it was told
 * of. A page of somebody else's whose name was made to lead here names itself (DNS rebinding), and
 * so does a form of such a page by its origin.
 */
export function demandHost(names: readonly string[]): MiddlewareHandler {
  const known = new Set([...LOOPBACK_NAMES, ...names.map((name) => name.toLowerCase())]);
  const isKnown = (host: string): boolean => isIP(host) !== 0 || known.has(host);
  return async ({ req }, next) => {
    const given = req.header("Host");
    const host = given === undefined ? undefined : hostOf(`http://${given}`);
    // A target may name a host itself, which is then the one that is meant (RFC 9112, 3.2.2).
    const meant = new URL(req.url).hostname.replace(/^\[(.*)\]$/, "$1");
    if (host === undefined || !isKnown(host.name) || !isKnown(meant)) {
      const detail =
        "the header Host must be an address, localhost, or a name given by --allow-host, got " +
        JSON.stringify(given?.slice(0, 100) ?? "nothing");
      return answerProblem("usage", { detail, status: MISDIRECTED });
    }
    const origin = req.header("Origin");
    if (origin !== undefined && hostOf(origin)?.all !== host.all) {
      const detail = `the header Origin must be of this server, got ${origin.slice(0, 100)}`;
      return answerProblem("not_authorised", { detail });
    }
    return next();
  };
}

/** The host of a URL: its name, an address without brackets, and the same with its port. */
function hostOf(url: string): { readonly name: string; readonly all: string } | undefined {
  if (!URL.canParse(url)) return undefined;
  const { hostname, host, username, password, pathname } = new URL(url);
  // What is more than a host and a port is no value of these headers.
  if (username !== "" || password !== "" || pathname !== "/") return undefined;
  return { name: hostname.replace(/^\[(.*)\]$/, "$1"), all: host };
}
