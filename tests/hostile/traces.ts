// What is left of a worker, looked for in ways that share no code with Stint nor with each other:
// by arguments, by a lock, by a pipe, and by the pid namespace.
import { execFileSync, spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** What each of the counts finds. */
export interface Survivors {
  /** Processes whose arguments have the mark. */
  readonly named: number;
  /** 1: the lock that all of it inherits is still held. */
  readonly locked: number;
  /** 1: somebody still has the pipe open for writing. */
  readonly heard: number;
  /** Processes in the pid namespace that it had; 0 where it had none of its own. */
  readonly inside: number;
}

/** Nothing is left, by any count. */
export const NOBODY: Survivors = { named: 0, locked: 0, heard: 0, inside: 0 };

/** The files by which a hostile program is heard of and looked for. */
export class Traces {
  readonly mark: string;
  readonly folder: string;
  readonly #pipe: number;
  readonly #inode: number;
  #heard = "";
  #isHeld = false;
  #namespace: string | undefined;
  #held: number | undefined;

  /** Lays them into a folder. */
  constructor(folder: string, mark: string) {
    this.folder = folder;
    this.mark = mark;
    writeFileSync(join(folder, "lock"), "");
    execFileSync("mkfifo", [join(folder, "pipe")]);
    this.#pipe = openSync(join(folder, "pipe"), constants.O_RDONLY | constants.O_NONBLOCK);
    this.#inode = statSync(join(folder, "pipe")).ino;
  }

  /** What it has said so far. */
  get lines(): readonly string[] {
    this.#listen();
    return this.#heard.split("\n").slice(0, -1);
  }

  /** Waits until it has said something; false when that was not to be in time. */
  async says(line: string, withinMs: number): Promise<boolean> {
    const untilMs = performance.now() + withinMs;
    while (!this.lines.includes(line)) {
      if (performance.now() > untilMs) return false;
      await pause(5);
    }
    return true;
  }

  /** Remembers whose namespace it is in: to be asked while it runs. */
  meet(): void {
    const own = readlinkSync("/proc/self/ns/pid");
    const [pid] = this.holders();
    const seen = pid === undefined ? undefined : namespaceOf(pid);
    if (seen === undefined || seen === own) return;
    // Held open, for its number is given to the next namespace as soon as it is gone.
    this.#held = openSync(`/proc/${pid}/ns/pid`, constants.O_RDONLY);
    this.#namespace = seen;
  }

  /** Looks in every way. */
  count(): Survivors {
    this.#listen();
    const pids = listPids();
    const locked = spawnSync("flock", ["-n", "-x", join(this.folder, "lock"), "true"]);
    return {
      named: pids.filter((pid) => isNamed(pid, this.mark)).length,
      locked: locked.status === 0 ? 0 : 1,
      heard: this.#isHeld ? 1 : 0,
      inside: this.#namespace === undefined ? 0 : pids.filter((pid) => this.#isIn(pid)).length,
    };
  }

  /** The processes that have the pipe open, but this one. */
  holders(): readonly number[] {
    return listPids().filter((pid) => pid !== process.pid && hasOpen(pid, this.#inode));
  }

  /** Ends what is left of it, by pid, until nobody holds the pipe; answers how many there were. */
  async end(): Promise<number> {
    const ended = new Set<number>();
    const untilMs = performance.now() + 10_000;
    for (;;) {
      const left = this.holders();
      if (left.length === 0) return ended.size;
      if (performance.now() > untilMs) throw new Error(`${left.join(", ")} cannot be ended`);
      for (const pid of left) endQuietly(pid);
      for (const pid of left) ended.add(pid);
      await pause(5);
    }
  }

  close(): void {
    closeSync(this.#pipe);
    if (this.#held !== undefined) closeSync(this.#held);
  }

  /** What has ended and waits for its parent to ask shows its namespace still. */
  #isIn(pid: number): boolean {
    return namespaceOf(pid) === this.#namespace && !isZombie(pid);
  }

  /** Takes in what was said; no data is "again" while somebody has it open, else an end. */
  #listen(): void {
    const part = Buffer.alloc(4_096);
    for (;;) {
      const got = this.#read(part);
      this.#isHeld = got !== 0;
      if (got === undefined || got === 0) return;
      this.#heard += part.toString("utf8", 0, got);
    }
  }

  #read(part: Buffer): number | undefined {
    try {
      return readSync(this.#pipe, part);
    } catch (error) {
      if (codeOf(error) === "EAGAIN") return undefined;
      throw error;
    }
  }
}

function listPids(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function isNamed(pid: number, mark: string): boolean {
  return orNothing(() => readFileSync(`/proc/${pid}/cmdline`, "utf8"))?.includes(mark) === true;
}

function namespaceOf(pid: number): string | undefined {
  return orNothing(() => readlinkSync(`/proc/${pid}/ns/pid`));
}

function isZombie(pid: number): boolean {
  return orNothing(() => readFileSync(`/proc/${pid}/stat`, "utf8"))?.includes(") Z ") !== false;
}

function hasOpen(pid: number, inode: number): boolean {
  const names = orNothing(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
  const isIt = (name: string): boolean => {
    const path = `/proc/${pid}/fd/${name}`;
    const isPipe = orNothing(() => readlinkSync(path))?.endsWith("/pipe") === true;
    return isPipe && orNothing(() => statSync(path).ino) === inode;
  };
  return names.some(isIt);
}

function endQuietly(pid: number): void {
  orNothing(() => process.kill(pid, "SIGKILL"));
}

/** What a process shows, or nothing when it ended meanwhile or does not show it. */
function orNothing<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    const gone = ["ENOENT", "ESRCH", "EACCES", "EPERM", "ENOTDIR", "EIO"];
    if (gone.includes(codeOf(error))) return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
