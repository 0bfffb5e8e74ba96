import { execFile } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A process as the host lists it. */
export interface Listed {
  readonly pid: number;
  readonly command: string;
}

/**
 * Lists the live processes whose command line holds `mark`, this one left out. It asks the host's
 * process table and nothing of Stint, so it can contradict what Stint says. Zombies do not count:
 * they run nothing.
 */
export async function processesWith(mark: string): Promise<readonly Listed[]> {
  const listed = (await fromProc(mark)) ?? (await fromPs(mark));
  return listed.filter(({ pid }) => pid !== process.pid);
}

async function fromProc(mark: string): Promise<readonly Listed[] | undefined> {
  const names = await readdir("/proc").catch(() => undefined);
  if (names === undefined) return undefined;
  const listed: Listed[] = [];
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue;
    // A process may end between the listing and the look; then it is not alive.
    const command = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    if (command.includes(mark))
      listed.push({ pid: Number(name), command: command.replaceAll("\0", " ").trim() });
  }
  return listed;
}

async function fromPs(mark: string): Promise<readonly Listed[]> {
  const { stdout } = await run("ps", ["-axo", "pid=,stat=,args="]);
  return stdout
    .split("\n")
    .map((line) => /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line))
    .filter((match) => match !== null)
    .filter(([, , state, args]) => state?.startsWith("Z") !== true && args?.includes(mark) === true)
    .map(([, pid, , args]) => ({ pid: Number(pid), command: args ?? "" }));
}
