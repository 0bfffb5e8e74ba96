import { once } from "node:events";
import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { perSecond, type Bench } from "./measure.ts";
import { onSite, type Site } from "./site.ts";

const PROGRAM = join(import.meta.dirname, "client.ts");
const SOURCE = join(import.meta.dirname, "../scripts/source.ts");
const CLIENTS = 16;
const COMMANDS = 60 * CLIENTS;

/** Sixteen processes that give commands to one supervisor, against one that gives as many. */
export const manyClients: Bench = {
  name: "clients-16: commands through the supervisor",
  unit: "commands/s",
  floorName: "one client",
  target: { ratio: 5, better: "higher" },
  rounds: 7,
  prepare: () =>
    onSite(async (site) => {
      await site.supervise();
      const clients = await Promise.all(
        Array.from({ length: CLIENTS }, () => startClient(site, PROGRAM)),
      );
      return {
        floor: () => rateOf(clients.slice(0, 1)),
        measure: () => rateOf(clients),
        close: async () => void (await Promise.all(clients.map((client) => client.close()))),
      };
    }),
};

async function rateOf(givers: readonly Client[]): Promise<number> {
  const tell = async (what: Order): Promise<void> => {
    await Promise.all(givers.map((client) => client.tell({ do: what })));
  };
  await tell("open");
  const rate = await perSecond(COMMANDS, () => tell(COMMANDS / givers.length));
  await tell("close");
  return rate;
}

/** To open the fleet, to give it so many commands one after the other, or to close it. */
type Order = "open" | "close" | number;

/** A process of its own that does what it is told. */
export interface Client {
  /** Tells it what to do, and waits until it is done; answers what it says then. */
  tell(order: object): Promise<unknown>;
  close(): Promise<void>;
}

/** Starts a client of a site by its program, which is given the state folder, then `args`. */
export async function startClient(
  { stateDir, env }: Site,
  program: string,
  ...args: readonly string[]
): Promise<Client> {
  const all = [`--import=${SOURCE}`, program, stateDir, ...args];
  const child = spawn(process.execPath, all, {
    env,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  await hear(child);
  return {
    async tell(order) {
      const heard = hear(child);
      child.send(order);
      return heard;
    },
    async close() {
      // Ctrl-C reaches it as well.
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

/** Waits for a client's next word. Throws when it ends instead. */
async function hear(child: ChildProcess): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const fail = (code: number | null): void =>
    reject(new Error(`a client must stay until it is let go, it exited with ${code}`));
  child.once("message", resolve);
  child.once("exit", fail);
  return promise.finally(() => child.off("exit", fail));
}
