// Several real processes want the same small ground for some time. Some are killed on the spot,
// some are stopped for longer than any lease lasts and go on as if nothing had happened. What
// became of it is read from the journal, from outside.
import { once } from "node:events";
import { spawn, type ChildProcess } from "node:child_process";
import { randomInt } from "node:crypto";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { openFleet, sqlite, type ContractOptions } from "stint";
import { onTestFinished } from "vitest";
import { freshFolder } from "../journal/fixtures/folder.ts";
import { FROM_SOURCE } from "../support/from-source.ts";
import { Guard, type Writing } from "./guard.ts";
import type { Found, Reply, Word } from "./holder.case.ts";
import { auditLeases, readEntries, type Audit } from "./outside-journal.ts";
import { LANES } from "./small-ground.ts";

const PROGRAM = join(import.meta.dirname, "holder.case.ts");

/** How often one is killed, ms, and how many are stopped at the same time. */
const KILL_EVERY_MS = 700;
const STOPPED_MAX = 2;

/** Nobody is killed while fewer run: where starts are slow, nobody would be left to contend. */
const RUNNING_MIN = 5;

/** The longest lease of a contest and a little, ms: how long a process is stopped. */
const STOPPED_MS = 3_300;

/** Names that are text and nothing else; two processes have the same. */
const NAMES = ["twin", "twin", "anna ", "new\nline", "line\u2028end", "w-", "ünal", "worker 8"];

/** How a contest goes. */
export interface Rules {
  /** How long it lasts at least, ms; longer until enough of all else has happened. */
  readonly forMs: number;
  readonly killsMin: number;
  readonly stopsMin: number;
  /** Writes under a stale fence that the guard has refused; default 0. */
  readonly fencedMin?: number;
  /** What is done in the middle of it. */
  readonly halfway?: () => void;
}

/** What a contest came to. */
export interface Outcome {
  readonly audit: Audit;
  /** What every process that came back from a stop with a lease in its hand has found. */
  readonly found: readonly Found[];
  readonly writings: readonly Writing[];
  /** Leases that processes believed to hold, with the fence that they were told. */
  readonly told: ReadonlyMap<string, number>;
  readonly killed: number;
  /** When a newcomer was granted all of the ground, and the last end of a lease by then, ms. */
  readonly newcomer: { readonly atMs: number; readonly lastEndMs: number };
}

/** Makes a fleet in a folder, a fresh one unless told otherwise; answers its state folder. */
export async function makeSite(folder = freshFolder()): Promise<string> {
  const stateDir = join(folder, ".stint");
  const founded = await openFleet({ store: sqlite({ dir: stateDir }), contract: LENIENT });
  await founded.close();
  return stateDir;
}

/** A contract under which every refusal of a contest is on record. */
export const LENIENT: ContractOptions = { refusalsPerMinute: 100_000 };

/** Holds a contest in a state folder, through its supervisor where one runs. */
export async function holdContest(stateDir: string, rules: Rules): Promise<Outcome> {
  const fleet = await openFleet({ store: sqlite({ dir: stateDir }) });
  await fleet.enactGround({ lanes: LANES });
  await fleet.close();
  const contest = new Contest(stateDir);
  onTestFinished(() => contest.end());
  await contest.run(rules);
  const newcomer = await takeAll(stateDir);
  return { ...contest.seen(), newcomer, audit: auditLeases(readEntries(stateDir)) };
}

/** Nobody has locked anybody out: once all have gone, their leases end by themselves. */
async function takeAll(stateDir: string): Promise<Outcome["newcomer"]> {
  const lastEndMs = Math.max(
    ...[...auditLeases(readEntries(stateDir)).leases.values()].map(({ endsAtMs }) => endsAtMs),
  );
  const fleet = await openFleet({ store: sqlite({ dir: stateDir }) });
  try {
    for (;;) {
      const asked = await fleet.tryAcquire({ holder: "newcomer", region: "**" });
      if (asked.ok) return { atMs: asked.lease.view().grantedAtMs, lastEndMs };
      await pause(20);
    }
  } finally {
    await fleet.close();
  }
}

/** A process of a contest. */
interface Player {
  readonly name: string;
  readonly child: ChildProcess;
  isReady: boolean;
  held: string | undefined;
  isStopped: boolean;
  woken: () => void;
}

class Contest {
  readonly #stateDir: string;
  readonly #guard: Guard;
  readonly #players = new Set<Player>();
  readonly #found: Found[] = [];
  readonly #told = new Map<string, number>();
  readonly #failures: string[] = [];
  readonly #entering: Promise<void>[] = [];
  #killed = 0;

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
    this.#guard = new Guard(`${stateDir}-guard`);
  }

  seen() {
    const writings = this.#guard.writings();
    return { found: this.#found, told: this.#told, killed: this.#killed, writings };
  }

  async run({ forMs, killsMin, stopsMin, fencedMin = 0, halfway }: Rules): Promise<void> {
    await Promise.all(NAMES.map((name) => this.#enter(name)));
    const beganAtMs = performance.now();
    const isOn = (): boolean =>
      performance.now() - beganAtMs < forMs ||
      this.#killed < killsMin ||
      this.#found.length < stopsMin ||
      this.#guard.writings().filter(({ accepted }) => !accepted).length < fencedMin;
    await Promise.all([
      this.#kill(isOn),
      ...Array.from({ length: STOPPED_MAX }, () => this.#stop(isOn)),
      pause(forMs / 2).then(() => halfway?.()),
    ]);
    await Promise.all(this.#entering);
    await Promise.all([...this.#players].map((player) => this.#leave(player)));
    if (this.#failures.length > 0) throw new Error(this.#failures.join("; "));
  }

  /** Ends what is left when a contest was broken off. */
  async end(): Promise<void> {
    for (const { child } of this.#players) {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    }
  }

  async #enter(name: string): Promise<void> {
    const args = [FROM_SOURCE, PROGRAM, this.#stateDir, name];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const player: Player = {
      name,
      child,
      isReady: false,
      held: undefined,
      isStopped: false,
      woken: () => undefined,
    };
    this.#players.add(player);
    const { promise, resolve } = Promise.withResolvers<void>();
    child.on("message", (word: Word) => {
      if (word.said !== "ready") return this.#hear(player, word);
      player.isReady = true;
      resolve();
    });
    child.once("exit", (code) => {
      this.#players.delete(player);
      if (code !== 0 && code !== null) this.#failures.push(`${name} exited with ${code}`);
      resolve();
    });
    await promise;
  }

  #hear(player: Player, word: Word): void {
    if (word.said === "held") {
      player.held = word.lease;
      this.#told.set(word.lease, word.fence);
    }
    if (word.said === "left") player.held = undefined;
    if (word.said === "woke") {
      if (word.found !== null) this.#found.push(word.found);
      player.woken();
    }
    if (word.said !== "wrote") return;
    const accepted = this.#guard.write(word.path, word.fence);
    this.#say(player, { turn: word.turn, accepted });
  }

  /** Kills one of those that run, again and again; another takes its place. */
  async #kill(isOn: () => boolean): Promise<void> {
    while (isOn()) {
      await pause(KILL_EVERY_MS);
      const running = [...this.#players].filter((one) => one.isReady && !one.isStopped);
      const player = draw(running);
      if (player === undefined || running.length < RUNNING_MIN) continue;
      const exited = once(player.child, "exit");
      player.child.kill("SIGKILL");
      await exited;
      this.#killed += 1;
      this.#entering.push(this.#enter(player.name));
    }
  }

  /** Stops one that holds a lease for longer than any lasts, again and again. */
  async #stop(isOn: () => boolean): Promise<void> {
    while (isOn()) {
      await pause(5);
      const player = draw(
        [...this.#players].filter(
          ({ name, held, isStopped }) => held !== undefined && !isStopped && name !== "twin",
        ),
      );
      if (player === undefined) continue;
      player.isStopped = true;
      player.child.kill("SIGSTOP");
      // What is tried is the passing of time itself, on the clocks of the host.
      await pause(STOPPED_MS);
      player.child.kill("SIGCONT");
      await this.#hasWoken(player);
      player.isStopped = false;
    }
  }

  /** Until it has told what it found; another may have killed it meanwhile. */
  async #hasWoken(player: Player): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = (): void => resolve();
    player.woken = end;
    player.child.once("exit", end);
    await promise.finally(() => player.child.off("exit", end));
  }

  async #leave(player: Player): Promise<void> {
    const exited = once(player.child, "exit");
    this.#say(player, "over");
    await exited;
  }

  #say({ child }: Player, reply: Reply): void {
    // One that was killed hears nothing any more.
    if (child.connected) child.send(reply, () => undefined);
  }
}

function draw(players: readonly Player[]): Player | undefined {
  return players.length === 0 ? undefined : players[randomInt(players.length)];
}

/** What is wrong with what a contest came to, in words; nothing is, whatever happened in it. */
export function wrongsOf({ audit, found, told, writings, newcomer }: Outcome): readonly string[] {
  const wrongs = [...audit.wrongs];
  for (const [lease, fence] of told)
    if (audit.leases.get(lease)?.fence !== fence)
      wrongs.push(`${lease} was told with the fence ${fence}, which is not in the journal`);
  for (const one of found)
    if (one.allowed || !STALE.includes(one.reason) || !OVER.includes(one.renewal))
      wrongs.push(`who was stopped found ${JSON.stringify(one)}`);
  if (newcomer.atMs > newcomer.lastEndMs + LATE_MS)
    wrongs.push(`a newcomer had to wait until ${newcomer.atMs}, after ${newcomer.lastEndMs}`);
  return [...wrongs, ...fencingWrongs(writings)];
}

/** What a stale fence is told, and what its renewal is refused with. */
const STALE: readonly string[] = ["lapsed", "fence_stale", "held_by_other"];
const OVER: readonly string[] = ["lease_ended", "lease_unknown"];

/** How long after the last end a newcomer may still be on its way, ms. */
const LATE_MS = 10_000;

/** Of what a guarded path has taken, nothing may be under an older fence than before it. */
function fencingWrongs(writings: Outcome["writings"]): readonly string[] {
  const newest = new Map<string, number>();
  return writings.flatMap(({ path, fence, accepted }) => {
    const before = newest.get(path) ?? 0;
    if (!accepted) return fence < before ? [] : [`${path} did not take ${fence} after ${before}`];
    newest.set(path, fence);
    return fence < before ? [`${path} took ${fence} after ${before}`] : [];
  });
}
