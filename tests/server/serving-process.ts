// `stint up` as a process of its own, in a folder of its own.
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { startStint, stint } from "../support/cli.ts";

/** What `stint up` says when it serves. */
export interface Serving {
  readonly url: string;
  readonly port: number;
  readonly login_url: string | null;
}

/** A server that serves, and its process. */
export interface ServingProcess {
  readonly said: Serving;
  readonly child: ChildProcess;
}

/** A fleet in a folder, and what serves it. */
export interface ServedFolder {
  readonly folder: string;
  /** The secret of an operator's token. */
  readonly secret: string;
  /** Starts `stint up` and resolves when it says that it serves. */
  up(port?: number, more?: readonly string[]): Promise<ServingProcess>;
  /** Ends all that was started, and removes the folder. */
  end(): Promise<void>;
}

/** Makes a fleet in a fresh folder. */
export async function serveFolder(): Promise<ServedFolder> {
  const folder = mkdtempSync(join(tmpdir(), "stint-serving-"));
  const children = new Set<ChildProcess>();
  await stint(["init", "--name", "served"], { cwd: folder });
  const issued = await stint(["token", "issue", "--role", "operator", "--json"], { cwd: folder });
  const { data } = issued.json() as { readonly data: { readonly secret: string } };
  return {
    folder,
    secret: data.secret,
    up: async (port = 0, more = []) => {
      const args = ["up", "--json", "--port", String(port), "--login", "none", ...more];
      const log = join(folder, `up-${children.size}.log`);
      const child = await startStint([...args, "--log", log], { cwd: folder });
      children.add(child);
      for await (const line of createInterface(child.stdout))
        return { said: JSON.parse(line) as Serving, child };
      throw new Error("stint up must say that it serves, it ended");
    },
    end: async () => {
      for (const child of children) child.kill("SIGKILL");
      await stint(["down", "--json"], { cwd: folder });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves when a process has ended. */
export function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
  });
}
