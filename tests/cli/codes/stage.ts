// A fleet that a play of the kernel has brought into some state, lying in a folder as a user has
// it, and the built command line called there.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { openSqliteJournal } from "../../../src/journal/sqlite/open.ts";
import { RULES } from "../../../src/kernel/entry.ts";
import { DEFAULT_CONTRACT, type Contract } from "../../../src/kernel/fleet/contract.ts";
import { permitFile } from "../../../src/system/places.ts";
import type { Draft } from "../../../src/ports/journal.ts";
import type { Signer } from "../../../src/ports/signer.ts";
import { ensureSecretFile } from "../../../src/signing/secret-file.ts";
import { openSigner } from "../../../src/signing/signer.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { startStint, stint, type Called, type CallOptions } from "../../support/cli.ts";
import { needs } from "../../support/require-all.ts";
import { ask, FLEET, Play, type Ask, type Step } from "../../support/scenario.ts";

/** How a fleet was begun. */
export interface StageOptions {
  /** What its contract has other than the default. */
  readonly contract?: Partial<Contract>;
  /** How long ago it was begun and its steps were taken, ms; negative: in time to come. */
  readonly agoMs?: number;
}

/** A fleet in a folder of its own. Nothing of it runs but what a scenario starts. */
export class Stage {
  readonly dir: string;
  readonly stateDir: string;
  readonly play = new Play();
  readonly signer: Signer;
  readonly #env: Readonly<Record<string, string>>;
  readonly #clock: FakeClock;

  constructor(agoMs = 0) {
    const base = mkdtempSync(join(tmpdir(), "stint-codes-"));
    onTestFinished(() => rmSync(base, { recursive: true, force: true }));
    this.dir = join(base, "site");
    this.stateDir = join(this.dir, ".stint");
    mkdirSync(this.stateDir, { recursive: true, mode: 0o700 });
    this.signer = openSigner(ensureSecretFile(join(this.stateDir, "secret")));
    this.#env = {
      XDG_RUNTIME_DIR: join(base, "run"),
      XDG_STATE_HOME: join(base, "state"),
      STINT_HOST_ID: "h-tests",
      NO_COLOR: "1",
    };
    // Of another boot than the program's, so that only its wall clock is compared.
    this.#clock = new FakeClock({ wallMs: Date.now() - agoMs, bootId: "before" });
    this.play.atMs = this.#clock.wallMs;
  }

  /** Records steps, each of which must be granted. */
  async given(...steps: readonly (Step | readonly Step[])[]): Promise<this> {
    const journal = await openSqliteJournal({ folder: this.stateDir, clock: this.#clock });
    try {
      for (const step of steps.flat()) {
        const asked = step(this.play);
        const { events = [], refusal = null } = this.play.take(step) ?? {};
        if (refusal !== null) throw new Error(`what is given must be granted: ${refusal.message}`);
        if ("waitMs" in asked) {
          this.#clock.advance(asked.waitMs);
          continue;
        }
        const { seq, hash } = await journal.head();
        const drafts = events.map((event, index): Draft => ({
          fleet: FLEET,
          rules: RULES,
          id: idAfter(seq),
          actor: asked.by,
          command: index === 0 ? asked.command : null,
          event,
        }));
        await journal.append({ seq, hash }, () => drafts);
      }
    } finally {
      await journal.close();
    }
    return this;
  }

  /** Calls `stint` in the folder. */
  call(args: readonly string[], options: CallOptions = {}): Promise<Called> {
    return stint(args, { cwd: this.dir, ...options, env: { ...this.#env, ...options.env } });
  }

  /** Starts `stint` in the folder; it is the caller's to end. */
  begin(args: readonly string[]): ReturnType<typeof startStint> {
    return startStint(args, { cwd: this.dir, env: this.#env });
  }

  /** Gives a command of a play by `stint submit`, as the operator. */
  asks(step: Ask, options: CallOptions & { readonly id?: string } = {}): Promise<Called> {
    const { id, ...others } = options;
    return this.submits(
      { ...step(this.play).command, ...(id === undefined ? {} : { id }) },
      others,
    );
  }

  /** Gives anything by `stint submit`, as the operator. */
  submits(command: unknown, options: CallOptions = {}): Promise<Called> {
    const stdin = JSON.stringify(command);
    return this.call(["submit", "-", "--json"], { ...options, stdin });
  }

  /** Copies the state folder as it is now; answers where to. */
  copy(name: string): string {
    const folder = join(this.dir, name);
    cpSync(this.stateDir, folder, { recursive: true });
    return folder;
  }

  /** Changes the bytes of a file of the state folder. */
  rewrite(name: string, change: (bytes: Buffer) => Buffer): void {
    const file = join(this.stateDir, name);
    writeFileSync(file, change(readFileSync(file)));
  }

  /** Puts a file of another state folder in the place of this fleet's own. */
  restore(name: string, folder: string): void {
    cpSync(join(folder, name), join(this.stateDir, name));
  }
}

/** Begins a fleet. */
export async function stage({ contract = {}, agoMs = 0 }: StageOptions = {}): Promise<Stage> {
  const begun = new Stage(agoMs);
  writeFileSync(permitFile(begun.stateDir, FLEET), "", { mode: 0o600 });
  const whole = { ...DEFAULT_CONTRACT, ...contract };
  const { key } = begun.signer;
  return begun.given(ask("fleet.create", { fleet: FLEET, name: "plays", contract: whole, key }));
}

/** Runs a program in a mount namespace of its own: what is mounted there ends with it. */
const IN_NAMESPACE = ["unshare", "--map-root-user", "--mount", "--"];

/** Has a shell mount something first that nobody else sees; to be called in a test. */
export function mounting(words: string): readonly string[] {
  const [command = "", ...args] = IN_NAMESPACE;
  const { status } = spawnSync(command, [...args, "true"]);
  needs(status === 0, "nothing can be mounted: no mount namespaces here");
  return [...IN_NAMESPACE, "sh", "-c", `${words} && exec "$@"`, "sh"];
}

/** The id of the command that was given after an entry. */
export function idAfter(seq: number): string {
  return `given-${seq + 1}`;
}
