import type Dockerode from "dockerode";

/** A container as its engine shows it. */
export interface ContainerState {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  /** In the engine's own word: `created`, `running`, `paused`, `exited`, … */
  readonly status: string;
  /** Its first process by the pid of the engine's host; absent when it has none. */
  readonly pid?: number;
  readonly exitCode?: number;
  readonly isOomKilled?: boolean;
  /** What it may use of memory, bytes; absent where that is not bounded. */
  readonly memoryBytes?: number;
}

/** What an engine says of a container that nothing in it runs, or ever ran. */
const STILL = new Set(["created", "configured", "initialized", "exited", "stopped", "dead"]);

/** Whether something of a container may run, now or when it is thawed. */
export function isUp({ status }: ContainerState): boolean {
  return !STILL.has(status);
}

/** Whether a container was created and never started. */
export function isUnstarted({ status }: ContainerState): boolean {
  return status === "created" || status === "configured" || status === "initialized";
}

/** Reads what an engine tells of one container. */
export function parseState(info: Dockerode.ContainerInspectInfo): ContainerState {
  const { Memory: memory = 0 } = info.HostConfig;
  const { Status: status, Pid: pid, ExitCode: code, OOMKilled: isOomKilled } = info.State;
  return {
    id: info.Id,
    labels: info.Config.Labels ?? {},
    status: status.toLowerCase(),
    ...(pid > 0 ? { pid } : {}),
    ...(Number.isInteger(code) && code >= 0 ? { exitCode: code } : {}),
    ...(isOomKilled ? { isOomKilled } : {}),
    ...(memory > 0 ? { memoryBytes: memory } : {}),
  };
}

/** Reads what an engine tells of a container in a listing. */
export function parseListed(info: Dockerode.ContainerInfo): ContainerState {
  return { id: info.Id, labels: info.Labels ?? {}, status: info.State.toLowerCase() };
}
