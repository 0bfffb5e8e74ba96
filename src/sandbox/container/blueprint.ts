import type Dockerode from "dockerode";
import type { SandboxSpec } from "../../ports/sandbox.ts";
import { limitsOf } from "./engine/limits.ts";
import { gated } from "./gate.ts";
import type { MountPlan } from "./mounts.ts";

/** What names the containers of a fleet, to its engine and to whoever looks. */
export const LABELS = {
  fleet: "stint.fleet",
  instance: "stint.instance",
  host: "stint.host",
} as const;

/** Files that each process may have open, where nobody says. */
const openFilesMax = 1_024;

/** What `/var/tmp` and `/run` may hold, bytes; what is to be written goes to `/tmp`. */
const sideBytes = 65_536;

/** How much the engine keeps of what a container wrote, for when this process cannot take it. */
const engineLogSize = "64m";

/** What a container is made of. */
export interface Blueprint {
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: Pick<SandboxSpec, "run" | "limits" | "network" | "scratchBytes">;
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: MountPlan;
  /** User and group, as numbers: those of this process. */
  readonly user: string;
  /** Whether the engine puts an init process before the program, which passes signals on. */
  readonly hasInit: boolean;
  /** Whether its program waits for a word before it runs. */
  readonly isGated: boolean;
  /** How many processes this user may have on the whole host. */
  readonly userProcessesMax: number;
}

/** The container for a worker, as an engine is told it. */
export function optionsFor(plan: Blueprint): Dockerode.ContainerCreateOptions {
  const { spec, mounts } = plan;
  const network = spec.network ?? "open";
  return {
    name: plan.name,
    Image: plan.image,
    // Instead of the image's own, which would take the program for its arguments.
    Entrypoint: [...(plan.isGated ? gated(spec.run) : spec.run)],
    Cmd: [],
    // Who opened the gate, or has died before, has shut it for good.
    ...(plan.isGated ? { OpenStdin: true, StdinOnce: true, AttachStdin: true } : {}),
    Env: Object.entries(plan.env).map(([name, value]) => `${name}=${value}`),
    User: plan.user,
    WorkingDir: mounts.workingFolder,
    Labels: { ...plan.labels },
    StopSignal: "SIGTERM",
    HostConfig: {
      ...limitsOf(framed(plan)),
      ...(network === "open" ? {} : { NetworkMode: "none" }),
      Init: plan.hasInit,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      ReadonlyRootfs: true,
      RestartPolicy: { Name: "no" },
      LogConfig: { Type: "json-file", Config: { "max-size": engineLogSize } },
      Ulimits: ulimitsOf(plan),
      Tmpfs: scratchOf(plan),
      Mounts: mounts.binds.map(({ source, target, isReadOnly }) => ({
        Type: "bind",
        Source: source,
        Target: target,
        ReadOnly: isReadOnly,
        BindOptions: { Propagation: "rprivate" },
      })),
    },
  };
}

function framed({ spec: { limits = {} }, hasInit }: Blueprint): NonNullable<SandboxSpec["limits"]> {
  const { processes } = limits;
  return hasInit && processes !== undefined ? { ...limits, processes: processes + 1 } : limits;
}

function ulimitsOf({
  userProcessesMax,
  spec: { limits },
}: Blueprint): NonNullable<Dockerode.HostConfig["Ulimits"]> {
  const openFiles = limits?.open_files ?? openFilesMax;
  const all = [["nofile", openFiles] as const, ["nproc", userProcessesMax], ["core", 0]] as const;
  return all.map(([name, most]) => ({ Name: name, Soft: most, Hard: most }));
}

/** Folders for what is written and not kept; in memory. A folder of the host there stays one. */
function scratchOf({ spec: { scratchBytes }, mounts }: Blueprint): Record<string, string> {
  const left = scratchBytes === undefined ? undefined : Math.max(4_096, scratchBytes);
  const sizes: readonly (readonly [string, number | undefined])[] = [
    ["/tmp", left],
    ["/var/tmp", sideBytes],
    ["/run", sideBytes],
  ];
  const taken = new Set(mounts.binds.map(({ target }) => target));
  return Object.fromEntries(
    sizes.flatMap(([path, bytes]) => {
      const size = bytes === undefined ? "" : `,size=${bytes}`;
      return taken.has(path) ? [] : [[path, `rw,nosuid,nodev,exec,mode=1777${size}`]];
    }),
  );
}
