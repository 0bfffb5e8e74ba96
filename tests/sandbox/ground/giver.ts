// A driver in a process of its own, as this user or as nobody, and a repository to give parts of.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, vi } from "vitest";
import type { Gift, SandboxSpec, Stray } from "../../../src/ports/sandbox.ts";
import { needs, needsProgram } from "../../support/require-all.ts";
import { needsRung } from "../rungs.ts";
import { fixtures } from "../state-folder.ts";

const repository = join(import.meta.dirname, "../../..");

/** The rung that ground can be given on. */
const RUNG = { name: "cgroup", options: { rung: "cgroup" } } as const;

const GIVER = "../fixtures/giver.ts";

/** Who runs the driver. */
export type User = "this user" | "nobody";

const polling = { timeout: 10_000, interval: 5 };

/** What a test works with; made anew for each. */
export class Giver {
  /** The ground: `src/api/old.txt`, `docs/`, `.git/config`, `state/secret`. */
  ground = "";
  /** A folder of the host that workers share with the test. */
  inbox = "";
  folder = "";
  #child: ChildProcess | undefined;
  #lines: AsyncIterator<string> | undefined;
  readonly user: User;

  constructor(user: User) {
    this.user = user;
  }

  /** Makes a ground, and a driver over it. */
  async begin(copy: string): Promise<void> {
    this.folder = realpathSync(mkdtempSync(join(copy, "g-")));
    this.ground = join(this.folder, "repo");
    this.inbox = join(this.folder, "inbox");
    for (const path of ["src/api", "docs", ".git", "state"])
      mkdirSync(join(this.ground, path), { recursive: true });
    mkdirSync(this.inbox);
    writeFileSync(join(this.ground, "src/api/old.txt"), "old");
    writeFileSync(join(this.ground, ".git/config"), "[core]");
    writeFileSync(join(this.ground, "state/secret"), "secret");
    const all = [".", "src", "src/api", "src/api/old.txt", "docs", ".git", "state"];
    const paths = [...all.map((path) => join(this.ground, path)), this.inbox, this.folder];
    if (this.user === "nobody") for (const path of paths) chownSync(path, 65_534, 65_534);
    const options = { ...RUNG.options, hidden: [join(this.ground, "state")] };
    const fleet = `f-giver-${process.pid}-${Date.now()}`;
    const args = [this.folder, fleet, JSON.stringify(options)];
    const script = [join(copy, "tests/sandbox/ground", GIVER), ...args];
    const node = [join(copy, "node"), ...script];
    const asNobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--", ...node];
    const [program = "", ...rest] = this.user === "nobody" ? ["setpriv", ...asNobody] : node;
    const env = { PATH: process.env["PATH"] ?? "", HOME: this.folder };
    const child = spawn(program, rest, { cwd: "/", env, stdio: ["pipe", "pipe", "inherit"] });
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Ends the driver, and what it has started. */
  async end(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const exited = child.exitCode === null ? once(child, "exit") : undefined;
    child.stdin?.end();
    await exited;
    rmSync(this.folder, { recursive: true });
  }

  /** Starts a worker that holds on to a folder of the ground. */
  async start(
    instance: string,
    spec: Partial<SandboxSpec> & Pick<SandboxSpec, "run">,
  ): Promise<void> {
    const whole = { files: {}, cwd: "/", ground: [this.ground], writable: [this.inbox], ...spec };
    await this.#ask({ do: "start", spec: { ...whole, shown: [this.folder], instance } });
  }

  /** Lets a worker write to a folder of the ground; "" is all of it. */
  async give(
    instance: string,
    path: string,
    { kept = [], left = [] }: Partial<Pick<Gift, "kept" | "left">> = {},
  ): Promise<void> {
    const inGround = (one: string): string => join(this.ground, one);
    const folder = inGround(path);
    const gift: Gift = { folder, kept: kept.map(inGround), left: left.map(inGround) };
    await this.#ask({ do: "give", instance, gift });
  }

  /** Takes a folder; whether it is taken. */
  async take(instance: string, path: string): Promise<boolean> {
    return (await this.#ask({ do: "take", instance, folder: join(this.ground, path) })) as boolean;
  }

  /** Takes a folder that a worker has now and then a file open in. */
  async takeAtLast(instance: string, path: string): Promise<boolean> {
    return vi.waitUntil(() => this.take(instance, path), polling);
  }

  /** What was done to what was given from outside. */
  async strayed(instance: string): Promise<readonly Stray[]> {
    return (await this.#ask({ do: "strayed", instance })) as readonly Stray[];
  }

  /** Has the worker of {@link startTold} run a script; answers what that printed. */
  async tell(script: string): Promise<string> {
    const draft = join(this.inbox, "draft");
    writeFileSync(draft, script);
    renameSync(draft, join(this.inbox, "do"));
    const file = join(this.inbox, "done");
    await vi.waitUntil(() => existsSync(file), polling);
    const said = readFileSync(file, "utf8");
    unlinkSync(file);
    return said;
  }

  async control(what: "freeze" | "thaw" | "stop", instance: string): Promise<void> {
    await this.#ask({ do: what, instance });
  }

  /** Starts a worker that does in the ground what it is told. */
  async startTold(instance: string): Promise<void> {
    const loop = `cd "$1" && while :; do
      if [ -e "$0/do" ]; then
        mv "$0/do" "$0/doing"; sh "$0/doing" > "$0/out" 2>&1; mv "$0/out" "$0/done"
      fi; sleep 0.01; done`;
    await this.start(instance, { run: ["sh", "-c", loop, this.inbox, this.ground] });
  }

  /** Starts the fixture holder.pl on `src/api`, which it was given, and waits until it is ready. */
  async hold(how: string): Promise<string> {
    const folder = join(this.ground, "src/api");
    // It waits to be given its ground before it takes hold of it.
    const script = 'while [ ! -e "$2/given" ]; do sleep 0.01; done; exec perl "$0" "$@"';
    const holder = join(this.folder, "holder.pl");
    cpSync(join(fixtures, "holder.pl"), holder);
    chmodSync(holder, 0o755);
    await this.start("w-a", { run: ["sh", "-c", script, holder, folder, this.inbox, how] });
    await this.give("w-a", "src/api");
    writeFileSync(join(this.inbox, "given"), "");
    await this.untilReady();
    return folder;
  }

  /** Waits until the holder has done what it was told. */
  async untilReady(): Promise<void> {
    await this.#until("ready");
  }

  /** Tells the holder to let go of all it has. */
  async letGo(): Promise<void> {
    writeFileSync(join(this.inbox, "let-go"), "");
    await this.untilReady();
  }

  /** What came of a try to write by what the holder has. */
  async attempt(): Promise<string> {
    writeFileSync(join(this.inbox, "try"), "");
    const file = join(this.inbox, "said");
    await vi.waitUntil(() => existsSync(file), polling);
    const said = readFileSync(file, "utf8");
    unlinkSync(file);
    return said;
  }

  async #until(name: string): Promise<void> {
    const file = join(this.inbox, name);
    await vi.waitUntil(() => existsSync(file), polling);
    unlinkSync(file);
  }

  async #ask(order: object): Promise<unknown> {
    this.#child?.stdin?.write(`${JSON.stringify(order)}\n`);
    const line = await this.#lines?.next();
    const said = JSON.parse(String(line?.value ?? '{"why":"the driver has ended"}')) as {
      readonly ok?: boolean;
      readonly value?: unknown;
      readonly why?: string;
    };
    if (said.ok !== true) throw new Error(said.why);
    return said.value;
  }
}

/** Gives each test of a `describe` a driver and a ground of its own. */
export function useGiver(user: User): Giver {
  const giver = new Giver(user);
  let copy = "";
  beforeAll(() => {
    // Not below a folder for temporary files, of which a sandbox has its own.
    const place = process.getuid?.() === 0 ? "/opt" : homedir();
    copy = mkdtempSync(join(place, "stint-giver-"));
    chmodSync(copy, 0o777);
    cpSync(join(repository, "src"), join(copy, "src"), { recursive: true });
    cpSync(fixtures, join(copy, "tests/sandbox/fixtures"), { recursive: true });
    cpSync(join(repository, "package.json"), join(copy, "package.json"));
    cpSync(process.execPath, join(copy, "node"));
    chmodSync(join(copy, "node"), 0o755);
  });
  afterAll(() => rmSync(copy, { recursive: true }));
  beforeEach(async () => {
    needsProgram("nsenter");
    needsProgram("perl");
    if (user === "nobody") {
      needs(process.getuid?.() === 0, "only root can be nobody for a while");
      needsProgram("setpriv");
    }
    await needsRung(RUNG);
    await giver.begin(copy);
  });
  afterEach(() => giver.end());
  return giver;
}
