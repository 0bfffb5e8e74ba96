// What hostile programs are told to go for, in a fleet and without one.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";

/** What a hostile program may be after; it is told of all of it. */
export interface Aims {
  /** A state folder: with a journal, a secret, a token, sandboxes. */
  readonly state: string;
  readonly permit: string;
  /** The folder that workers share. */
  readonly ground: string;
  /** A folder that is nobody's ground. */
  readonly elsewhere: string;
  /** The pid of a supervisor, and of a sibling's program; 0: there is none. */
  readonly supervisor: number;
  readonly victim: number;
  /** A sibling's id, and the folder of its socket and token. */
  readonly sibling: string;
  readonly door: string;
  readonly port: number;
  readonly abstract: string;
}

/** The command of a hostile program. */
export function commandOf(
  program: string,
  so: { readonly mark: string; readonly folder: string; readonly aims: Aims },
): readonly string[] {
  const { victim } = so.aims;
  const aims = { ...so.aims, address: victim === 0 ? "0" : addressIn(victim) };
  const words = Object.entries(aims).map(([key, value]) => `${key}=${value}`);
  return ["/usr/bin/perl", program, so.mark, so.folder, ...words];
}

/** Where somebody of the host listens, who has nothing to say. */
export interface Listeners {
  readonly aims: Pick<Aims, "port" | "abstract">;
  close(): Promise<void>;
}

/** Listens on a port and on an abstract Unix socket. */
export async function openListeners(): Promise<Listeners> {
  const abstract = `stint-hostile-${randomUUID()}`;
  const port = await listen({ port: 0, host: "127.0.0.1" });
  const servers = [port, await listen(`\0${abstract}`)];
  const at = port.address();
  if (at === null || typeof at === "string") throw new Error("a port must have a number");
  return {
    aims: { port: at.port, abstract },
    close: async () => {
      for (const server of servers) await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listen(at: string | { readonly port: number; readonly host: string }): Promise<Server> {
  const server = createServer((socket) => socket.on("error", () => undefined).end());
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(at, () => resolve(server));
  });
}

/** Where a process has memory that can be read, hexadecimal. */
function addressIn(pid: number): string {
  const maps = readFileSync(`/proc/${pid}/maps`, "utf8").split("\n");
  return maps.find((line) => / r/.test(line))?.split("-")[0] ?? "0";
}
