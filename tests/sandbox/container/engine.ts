// A container engine for tests: Podman's service with a store of its own in a temporary folder, and
// an image made of busybox. It asks no network and leaves nothing on the host.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { connect } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openContainerSandbox } from "../../../src/sandbox/container/container-sandbox.ts";
import type { Sandbox } from "../../../src/ports/sandbox.ts";
import { commandOf, listProcesses } from "../../support/process-table.ts";
import { needs } from "../../support/require-all.ts";

/** The image of all tests; what it would start by itself fails. */
export const IMAGE = "localhost/stint-test:latest";

/** One that has a few programs and no shell. */
export const SHELL_LESS = "localhost/stint-bare:latest";

const APPLETS = "sh sleep cat grep ls head tr mount id env wc nc yes touch mkdir test mv".split(
  " ",
);

type Options = Parameters<typeof openContainerSandbox>[0];

const PROGRAMS = {
  podman: ["/usr/bin/podman"],
  runc: ["/usr/bin/runc", "/usr/sbin/runc"],
  busybox: ["/bin/busybox", "/usr/bin/busybox"],
  catatonit: ["/usr/bin/catatonit", "/usr/libexec/podman/catatonit"],
} as const;

/** Whether there is all that an engine for tests needs. */
export function hasEngine(): boolean {
  return missing() === undefined;
}

/** Skips the running test loudly where there is no engine to be had. */
export function needsEngine(): void {
  const what = missing();
  needs(what === undefined, `the tests of containers need ${what}`);
}

function missing(): string | undefined {
  if (process.getuid?.() !== 0) return "root, for Podman";
  const lacking = Object.entries(PROGRAMS).find(([, paths]) => pathOf(paths) === undefined);
  return lacking?.[0];
}

function pathOf(paths: readonly string[]): string | undefined {
  return paths.find((path) => existsSync(path));
}

/** A running engine. */
export class TestEngine {
  readonly folder: string;
  readonly socket: string;
  #service: ChildProcess | undefined;
  #holder: ChildProcess | undefined;

  constructor() {
    this.folder = mkdtempSync("/tmp/stint-engine-");
    this.socket = join(this.folder, "engine.sock");
  }

  /** Makes the image and starts the service. */
  async begin(): Promise<void> {
    await this.#hold();
    this.#import(IMAGE, APPLETS);
    this.#import(SHELL_LESS, ["sleep", "touch"]);
    await this.serve();
  }

  /**
   * Podman mounts in a namespace of its own. A network's mount that comes and goes in `/run/netns`
   * has others fail that make a namespace at that moment: bwrap, in whatever test runs beside.
   */
  async #hold(): Promise<void> {
    const own = readlinkSync("/proc/self/ns/mnt");
    const args = ["--mount", "--propagation", "private", "--", "sleep", "infinity"];
    const holder = spawn("unshare", args, { stdio: "ignore" });
    this.#holder = holder;
    const file = `/proc/${String(holder.pid)}/ns/mnt`;
    const deadlineMs = performance.now() + 15_000;
    while (readlinkSync(file) === own) {
      if (performance.now() > deadlineMs) throw new Error("unshare must make a namespace");
      await sleep(5);
    }
  }

  #command(args: readonly string[]): readonly [string, readonly string[]] {
    const pid = this.#holder?.pid;
    if (pid === undefined) return ["podman", args];
    return ["nsenter", [`--mount=/proc/${pid}/ns/mnt`, "--", "podman", ...args]];
  }

  #import(image: string, applets: readonly string[]): void {
    const files = mkdtempSync(join(this.folder, "files-"));
    mkdirSync(join(files, "bin"), { recursive: true });
    copyFileSync(pathOf(PROGRAMS.busybox) ?? "", join(files, "bin/busybox"));
    for (const applet of applets) symlinkSync("busybox", join(files, "bin", applet));
    const archive = `${files}.tar`;
    execFileSync("tar", ["-C", files, "-cf", archive, "."]);
    this.podman("import", "--change", 'ENTRYPOINT ["/bin/nothing"]', archive, image);
  }

  /** Starts the service; it was not started or {@link breakDown} has ended it. */
  async serve(): Promise<void> {
    rmSync(this.socket, { force: true });
    const args: string[] = [
      ...this.#globals(),
      "system",
      "service",
      "--time=0",
      `unix://${this.socket}`,
    ];
    this.#service = spawn(...this.#command(args), { stdio: "ignore" });
    const deadlineMs = performance.now() + 15_000;
    while (!(await this.#answers())) {
      if (performance.now() > deadlineMs) throw new Error("podman's service must answer");
      await sleep(20);
    }
  }

  /** Kills the service; containers live on. */
  async breakDown(): Promise<void> {
    const service = this.#service;
    this.#service = undefined;
    if (service === undefined) return;
    service.kill("SIGKILL");
    if (service.exitCode === null && service.signalCode === null) await once(service, "exit");
  }

  /** Runs Podman's command on the same store. */
  podman(...args: readonly string[]): string {
    return execFileSync(...this.#command([...this.#globals(), ...args]), {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();
  }

  /** Ends all that is left in it, the service, and its store. */
  async end(): Promise<void> {
    if (!hasEngine()) return;
    this.podman("rm", "--all", "--force", "--time", "0");
    await this.breakDown();
    await this.#quiet();
    await this.#reset();
    this.#holder?.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Opens a driver for a fleet of its own, with a state folder of its own. */
  async open(options: Partial<Options> = {}): Promise<Opened> {
    const fleet = options.fleet ?? `f-${randomBytes(6).toString("hex")}`;
    const stateFolder = options.stateFolder ?? mkdtempSync(join(this.folder, "state-"));
    const named = { fleet, stateFolder, socket: this.socket, image: IMAGE };
    return { fleet, stateFolder, sandbox: await openContainerSandbox({ ...named, ...options }) };
  }

  #globals(): readonly string[] {
    const store = ["--root", join(this.folder, "root"), "--runroot", join(this.folder, "run")];
    const tmp = ["--tmpdir", join(this.folder, "tmp")];
    return [
      ...store,
      ...tmp,
      "--runtime",
      pathOf(PROGRAMS.runc) ?? "",
      "--cgroup-manager",
      "cgroupfs",
    ];
  }

  /** Podman says no while something that it has begun in the background still writes there. */
  async #reset(): Promise<void> {
    for (let triesLeft = 20; ; triesLeft -= 1)
      try {
        this.podman("system", "reset", "--force");
        return;
      } catch (error) {
        if (triesLeft === 0) throw error;
        await sleep(250);
      }
  }

  /** Waits until nothing works on the store any more: Podman tidies up after each container. */
  async #quiet(): Promise<void> {
    const deadlineMs = performance.now() + 15_000;
    const isBusy = ({ pid }: { pid: number }): boolean =>
      pid !== process.pid && commandOf(pid).includes(join(this.folder, "root"));
    while (listProcesses().some(isBusy)) {
      if (performance.now() > deadlineMs) throw new Error("podman must come to an end");
      await sleep(20);
    }
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.socket);
      socket.once("connect", () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
  }
}

/** A driver, and whose it is. */
export interface Opened {
  readonly sandbox: Sandbox;
  readonly fleet: string;
  readonly stateFolder: string;
}
