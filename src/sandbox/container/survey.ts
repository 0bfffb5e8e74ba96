import { existsSync } from "node:fs";
import { connectEngine } from "./engine/connect.ts";
import { findSocket } from "./engine/socket.ts";

/** What of container engines there is on this host. */
export interface EngineSurvey {
  /** The engine's name and version; absent where none answers. */
  readonly words?: string;
  /** Its socket; absent where there is none. */
  readonly socket?: string;
  /** Why no worker can be run in a container; absent where one can. */
  readonly why?: string;
}

/** Looks for an engine and asks for its version; runs nothing in it. Never throws. */
export async function surveyEngine(): Promise<EngineSurvey> {
  let socket: string | undefined;
  try {
    socket = findSocket();
    if (!existsSync(socket)) return { socket, why: `nothing listens at ${socket}` };
    const engine = await connectEngine(socket);
    try {
      return { socket, words: await engine.describe() };
    } finally {
      engine.close();
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return socket === undefined ? { why } : { socket, why };
  }
}
