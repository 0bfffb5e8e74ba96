import { existsSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../../ports/fault.ts";

/** Where engines have their sockets when nobody says otherwise. */
function usualSockets(): readonly string[] {
  const runtime = process.env["XDG_RUNTIME_DIR"] ?? "";
  const own = runtime === "" ? [] : [join(runtime, "podman/podman.sock")];
  return ["/var/run/docker.sock", ...own, "/run/podman/podman.sock"];
}

/**
 * The socket of an engine: that of `DOCKER_HOST`, else the first that is there of Docker's, this
 * user's Podman's and the system's Podman's. Throws `Fault` `sandbox_unavailable`.
 */
export function findSocket(): string {
  const named = process.env["DOCKER_HOST"] ?? "";
  if (named.startsWith("unix://")) return named.slice("unix://".length);
  if (named !== "") {
    const message = `DOCKER_HOST must name a socket of this host, unix://…, got "${named}"`;
    throw new Fault("sandbox_unavailable", message);
  }
  const found = usualSockets().find((path) => existsSync(path));
  if (found !== undefined) return found;
  const places = usualSockets().join(", ");
  const message = `a container engine must listen at one of ${places}, none does`;
  throw new Fault("sandbox_unavailable", message);
}
