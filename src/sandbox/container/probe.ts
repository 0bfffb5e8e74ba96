// What an engine holds is found out by a container that looks at itself: its limits, its network,
// its rights. Where the image has no shell it cannot look, and the engine's own word is taken.

import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Degradation } from "../../kernel/fleet/contract.ts";
import { Fault } from "../../ports/fault.ts";
import { optionsFor } from "./blueprint.ts";
import { type Engine, refused } from "./engine/engine.ts";
import { FrameReader } from "./engine/frames.ts";
import { isUp } from "./engine/state.ts";
import { asThisUser } from "./user.ts";

/** What containers of an engine are held by. */
export interface Probed {
  /** The engine in words. */
  readonly words: string;
  /** Whether it puts an init process before a program. */
  readonly hasInit: boolean;
  /** Whether containers of the image have a shell that can wait before it becomes a program. */
  readonly hasShell: boolean;
  readonly degraded: readonly Degradation[];
}

/** A driver that starts nothing claims to hold nothing. */
export const UNPROBED: Probed = {
  words: "container, for ending it only",
  hasInit: false,
  hasShell: false,
  degraded: ["memory", "cpu", "processes", "network", "leases"],
};

const probeMs = 15_000;
const lookEveryMs = 20;

/** Odd numbers, so that no default is taken for them. */
const limits = { memory_bytes: 67 * 2 ** 20, cpu_milli: 130, processes: 37 };

const SCRIPT = `
here=/sys/fs/cgroup
look() {
  for file in "$@"; do [ -r "$file" ] && read -r line < "$file" && echo "$line" && return; done
  echo none
}
echo "memory $(look $here/memory/memory.limit_in_bytes $here/memory.max)"
echo "processes $(look $here/pids/pids.max $here/pids.max)"
echo "cpu $(look $here/cpu/cpu.cfs_quota_us $here/cpu,cpuacct/cpu.cfs_quota_us $here/cpu.max)"
net=0
while read -r name rest; do
  case "$name" in lo:* | Inter-* | face*) ;; *) net=1 ;; esac
done < /proc/net/dev
echo "network $net"
while read -r name value; do
  case "$name" in CapBnd: | NoNewPrivs:) echo "$name $value" ;; esac
done < /proc/self/status
if (: > /stint-probe) 2> /dev/null; then echo "root writable"; fi
echo "over yes"
`;

/**
 * Finds out what an engine holds for containers of an image. Throws `Fault` `sandbox_unavailable`
 * when there is no such image, no container of it can be made, or it keeps rights that it must not
 * have.
 */
export async function probeEngine(engine: Engine, image: string): Promise<Probed> {
  const engineWords = await engine.describe();
  if (!(await engine.hasImage(image))) {
    const message = `the image ${image} must be here, it is not: nothing is fetched unasked`;
    throw new Fault("sandbox_unavailable", message);
  }
  const withInit = await look(engine, image, true);
  const said = withInit ?? (await look(engine, image, false));
  const hasInit = withInit !== undefined;
  if (said === undefined) {
    const message = `${engineWords} must run a container of ${image}, it does not`;
    throw new Fault("sandbox_unavailable", message);
  }
  const hasShell = said.has("over");
  if (hasShell) demandBound(said);
  const degraded = hasShell ? unheldBy(said) : unheldByWord(await engine.abilities());
  const init = hasInit ? "an init process" : "no init process";
  const words = `container, ${engineWords}, ${init}`;
  // What it may write to is mounted before its start, and stays.
  return { words, hasInit, hasShell, degraded: [...degraded, "leases"] };
}

/** What a container has seen of itself, by name: empty if it could not look, undefined: no run. */
async function look(
  engine: Engine,
  image: string,
  hasInit: boolean,
): Promise<ReadonlyMap<string, string> | undefined> {
  const options = optionsFor({
    name: `stint-probe-${randomBytes(6).toString("hex")}`,
    image,
    hasInit,
    isGated: false,
    labels: { "stint.probe": "yes" },
    spec: { run: ["/bin/sh", "-c", SCRIPT], limits, network: "none", scratchBytes: 65_536 },
    env: {},
    mounts: { binds: [], empty: [], covered: [], workingFolder: "/" },
    ...asThisUser(),
  });
  const made = await engine.create(options);
  if (!made.ok && hasInit) return undefined;
  if (!made.ok) throw unusable(image, refused("create a container", made));
  const id = made.value;
  try {
    const started = await engine.start(id);
    const isShell = started.ok || !/not found|no such file/i.test(started.words);
    if (!isShell && !hasInit) return new Map();
    if (!started.ok && hasInit) return undefined;
    if (!started.ok) throw unusable(image, refused("start a container", started));
    return await readSaid(engine, id);
  } finally {
    await engine.remove(id);
  }
}

async function readSaid(engine: Engine, id: string): Promise<ReadonlyMap<string, string>> {
  const untilMs = performance.now() + probeMs;
  for (let isOver = false; !isOver && performance.now() < untilMs; await sleep(lookEveryMs)) {
    const state = await engine.inspect(id);
    isOver = state === undefined || !isUp(state);
  }
  const frames = new FrameReader();
  let text = "";
  for await (const chunk of (await engine.logs(id)) as AsyncIterable<Buffer>) {
    for (const { stream, bytes } of frames.read(chunk)) {
      if (stream === "stdout") text += Buffer.from(bytes).toString("latin1");
    }
  }
  const pairs = text.split("\n").map((line) => /^(\w+):? (.*)$/.exec(line));
  return new Map(pairs.flatMap((pair) => (pair === null ? [] : [[pair[1] ?? "", pair[2] ?? ""]])));
}

function demandBound(said: ReadonlyMap<string, string>): void {
  const isBare = /^0+$/.test(said.get("CapBnd") ?? "") && said.get("NoNewPrivs") === "1";
  if (isBare && !said.has("root")) return;
  const got = JSON.stringify(Object.fromEntries(said));
  const message = `a container must have no capabilities and a read-only root, got ${got}`;
  throw new Fault("sandbox_unavailable", message);
}

function unheldBy(said: ReadonlyMap<string, string>): readonly Degradation[] {
  const quota = said.get("cpu")?.split(" ")[0];
  const held = {
    memory: Number(said.get("memory")) === limits.memory_bytes,
    cpu: Number(quota) === limits.cpu_milli * 100,
    // With its init process.
    processes: Math.abs(Number(said.get("processes")) - limits.processes) <= 1,
    network: said.get("network") === "0",
  };
  return (["memory", "cpu", "processes", "network"] as const).filter((what) => !held[what]);
}

function unheldByWord(able: Readonly<Record<string, unknown>>): readonly Degradation[] {
  const held = {
    memory: able["MemoryLimit"] === true,
    cpu: able["CpuCfsQuota"] === true,
    processes: able["PidsLimit"] === true,
  };
  return (["memory", "cpu", "processes"] as const).filter((what) => !held[what]);
}

function unusable(image: string, cause: Fault): Fault {
  const message = `a container of ${image} must be runnable here, it is not: ${cause.message}`;
  return new Fault("sandbox_unavailable", message, { cause });
}
