import { once } from "node:events";
import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { perSecond, type Bench, type Trials } from "./measure.ts";
import { makeSite, type Site } from "./site.ts";

const PROGRAM = join(import.meta.dirname, "client.ts");
const CLIENTS = 16;
const COMMANDS = 60 * CLIENTS;

/** Sixteen processes that give commands to one supervisor, against one that gives as many. */
export const manyClients: Bench = {
  name: "clients-16: commands through the supervisor",
  unit: "commands/s",
  floorName: "one client",
  target: { ratio: 5, better: "higher" },
  rounds: 7,
  async prepare(): Promise<Trials> {
    const site = await makeSite();
    await site.supervise();
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => startClient(site)));
    const rateOf = async (givers: readonly Client[]): Promise<number> => {
      const tell = async (what: Order): Promise<void> => {
        await Promise.all(givers.map((client) => client.tell(what)));
      };
      await tell("open");
      const rate = await perSecond(COMMANDS, () => tell(COMMANDS / givers.length));
      await tell("close");
      return rate;
    };
    return {
      floor: () => rateOf(clients.slice(0, 1)),
      measure: () => rateOf(clients),
      async close() {
        await Promise.all(clients.map((client) => client.close()));
        await site.close();
      },
    };
  },
};

/** To open the fleet, to give it so many commands one after the other, or to close it. */
type Order = "open" | "close" | number;

/** A process of its own that does what it is told. */
interface Client {
  tell(what: Order): Promise<void>;
  close(): Promise<void>;
}

async function startClient({ stateDir, env }: Site): Promise<Client> {
  const args = ["--conditions=stint-source", PROGRAM, stateDir];
  const child = spawn(process.execPath, args, {
    env,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  await hear(child);
  return {
    async tell(what) {
      const heard = hear(child);
      child.send({ do: what });
      await heard;
    },
    async close() {
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}

/** Waits for a client's next word. Throws when it ends instead. */
async function hear(child: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (code: number | null): void =>
    reject(new Error(`a client must stay until it is let go, it exited with ${code}`));
  child.once("message", () => resolve());
  child.once("exit", fail);
  await promise.finally(() => child.off("exit", fail));
}
