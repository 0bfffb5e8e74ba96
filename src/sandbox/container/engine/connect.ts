import { Fault } from "../../../ports/fault.ts";
import { Engine } from "./engine.ts";

/**
 * Makes an engine of a socket; nothing is asked of it yet. The package `dockerode` is loaded only
 * here: who runs no containers need not have it. Throws `Fault` `sandbox_unavailable` without it.
 */
export async function connectEngine(socket: string): Promise<Engine> {
  const { default: Docker } = await import("dockerode").catch((error: unknown) => {
    const message = "containers need the package dockerode beside stint: npm install dockerode@5";
    throw new Fault("sandbox_unavailable", message, { cause: error });
  });
  return new Engine(new Docker({ socketPath: socket }), socket);
}
