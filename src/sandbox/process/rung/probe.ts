import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { getuid } from "node:process";
import { surveyCgroups } from "../../cgroup/find.ts";
import { bubblewrap } from "./bubblewrap.ts";
import { hasNests, nestCommand, planNest } from "./nest.ts";
import { tryRealpath } from "../../folder/paths.ts";
import { SYSTEM_PATH } from "./programs.ts";
import { utilLinux } from "./unshare.ts";
import { resolveView, type Wrap } from "./view.ts";

/** The rungs of containment, best first. */
export const RUNGS = ["cgroup", "pid-namespace", "process-group"] as const;

/** A rung of containment. */
export type RungName = (typeof RUNGS)[number];

/** How long a program may take that is started to see whether a rung works, ms. */
const probeMs = 10_000;

/** How much of what it complains of is kept, characters. */
const complaintCharsMax = 300;

/** A rung as this host and this user have it. */
export interface ProbedRung {
  readonly rung: RungName;
  /** Whether a program was started on it and ran. */
  readonly works: boolean;
  /** Whether it can give a sandbox a network of its own, with nothing in it. */
  readonly hasNetworks: boolean;
  /** Whether a worker is kept from user namespaces, in which it could lift its own limits. */
  readonly isClosed: boolean;
  /** Why it does not work, or holds less than it could. */
  readonly why?: string;
  /** How to get what is missing. */
  readonly remedy?: string;
  /** What this rung never holds, or what having only the one below it costs. */
  readonly costs: string;
}

const COSTS: Readonly<Record<RungName, string>> = {
  cgroup:
    "without it nothing bounds what workers use of memory, cpu and processes, and they are " +
    "frozen one process after the other",
  "pid-namespace":
    "without it workers see the state folder, the keys and each other's processes " +
    "(same_user), no network can be kept from them, what hides can outlive a stop, and all " +
    "outlive the supervisor",
  "process-group":
    "it holds no limits, hides nothing, and its stops are never proven: what left its group and " +
    "dropped its marks is missed",
};

let probing: Promise<readonly ProbedRung[]> | undefined;

/**
 * What each rung can do here, best first: by starting a program on it. Looked at once per process.
 */
export function probeRungs(): Promise<readonly ProbedRung[]> {
  probing ??= probe();
  return probing;
}

async function probe(): Promise<readonly ProbedRung[]> {
  const [enclosed, namespaced] = await Promise.all([probeCgroup(), probePidNamespace()]);
  const lowest = {
    rung: "process-group",
    works: true,
    hasNetworks: false,
    isClosed: false,
  } as const;
  return [enclosed, namespaced, { ...lowest, costs: COSTS["process-group"] }];
}

const NO_BWRAP = "bubblewrap must be installed, there is no program bwrap";
const NO_NESTS = "util-linux's unshare and mount must be installed";

async function probeCgroup(): Promise<ProbedRung> {
  const [tried, { missing }] = await Promise.all([tryBubblewrap(), surveyCgroups("probe")]);
  const base = { rung: "cgroup", costs: COSTS.cgroup } as const;
  if (!tried.works) {
    const why = tried.complaint ?? (hasNests() ? NO_BWRAP : NO_NESTS);
    return {
      ...base,
      ...tried,
      why,
      remedy: remedyFor(tried, hasNests() ? "bubblewrap" : "util-linux"),
    };
  }
  if (!tried.isClosed) {
    const why = "bubblewrap must keep workers from user namespaces, in which they lift limits";
    const remedy =
      "install bubblewrap 0.8 or newer, and allow it user namespaces and a whole /proc";
    return { ...base, ...tried, why, remedy };
  }
  if (missing.length === 0) return { ...base, ...tried };
  const texts = [...new Set(missing.map(({ why }) => why))];
  const remedies = [...new Set(missing.map(({ remedy }) => remedy))];
  return { ...base, ...tried, why: texts.join("; "), remedy: remedies.join("; ") };
}

async function probePidNamespace(): Promise<ProbedRung> {
  // As root nothing is made there that could count user namespaces.
  const isClosed = getuid?.() !== 0;
  const tried = { ...(await tryWrap(utilLinux())), isClosed };
  const base = { rung: "pid-namespace", costs: COSTS["pid-namespace"] } as const;
  if (tried.works) return { ...base, ...tried };
  const why = tried.complaint ?? "util-linux's unshare, setpriv and mount must be installed";
  return { ...base, ...tried, why, remedy: remedyFor(tried, "util-linux") };
}

function remedyFor(tried: Tried, name: string): string {
  return tried.complaint === undefined
    ? `install ${name} (Debian, Ubuntu, Fedora: the package ${name})`
    : "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1 " +
        "kernel.apparmor_restrict_unprivileged_userns=0 user.max_user_namespaces=10000, " +
        "and in a container its security options";
}

interface Tried {
  readonly works: boolean;
  readonly hasNetworks: boolean;
  /** What was said against it; undefined when its programs are missing. */
  readonly complaint?: string;
}

/** A host may refuse only what keeps workers from user namespaces of their own. */
async function tryBubblewrap(): Promise<Tried & { readonly isClosed: boolean }> {
  const closed = await tryWrap(bubblewrap({ isClosed: true }));
  if (closed.works) return { ...closed, isClosed: true };
  return { ...(await tryWrap(bubblewrap({ isClosed: false }))), isClosed: false };
}

/** A host may refuse only a network of one's own: then all else is had without it. */
async function tryWrap(wrap: Wrap | undefined): Promise<Tried> {
  if (wrap === undefined || !hasNests()) return { works: false, hasNetworks: false };
  if ((await runIn(wrap, false)) === undefined) return { works: true, hasNetworks: true };
  const complaint = await runIn(wrap, true);
  if (complaint === undefined) return { works: true, hasNetworks: false };
  return { works: false, hasNetworks: false, complaint };
}

/** Runs a program that does nothing; answers what was wrong, if something was. */
function runIn(wrap: Wrap, hasNetwork: boolean): Promise<string | undefined> {
  const folder = tryRealpath(tmpdir()) ?? "/tmp";
  // Without a home, which may lie below that folder, and is had in one way or another.
  const nest = { ...planNest({ folder, writable: [], shown: [] }), home: undefined };
  const view = resolveView({ cwd: "/", hidden: [], visible: [], hasNetwork, nest });
  // A shell does nothing but become the wrapper, as a launcher does.
  const wrapper = [...nestCommand(nest), ...wrap(view)];
  const args = ["-c", 'exec "$@"', "sh", ...wrapper, "/bin/sh", "-c", "exit 0"];
  return new Promise((resolve) => {
    const child = spawn("/bin/sh", args, {
      env: { PATH: process.env["PATH"] ?? SYSTEM_PATH },
      stdio: ["ignore", "ignore", "pipe"],
      timeout: probeMs,
      killSignal: "SIGKILL",
    });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString("utf8")).slice(-complaintCharsMax);
    });
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => {
      const how = said.trim() || `it ended by ${signal ?? `code ${code}`}`;
      resolve(code === 0 ? undefined : how);
    });
  });
}
