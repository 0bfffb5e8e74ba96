import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Site } from "../site.ts";

/** How long a server may take to end, ms. */
const END_MS = 20_000;

/** `stint up` as a user runs it, on a port of its own, and an operator's token for it. */
export interface BenchServer {
  readonly url: string;
  readonly pid: number;
  readonly headers: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Starts the server of a site. Throws when it does not serve. */
export async function startServer(site: Site): Promise<BenchServer> {
  const args = ["up", "--port", "0", "--login", "none", "--json"];
  const child = spawn(process.execPath, [site.bin, ...args], {
    cwd: site.dir,
    env: site.env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const close = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), END_MS);
    await exited;
    clearTimeout(late);
  };
  try {
    const { url } = await firstLine(child.stdout);
    const issued = await site.call(["token", "issue", "--role", "operator", "--json"]);
    const { data } = JSON.parse(issued.stdout) as { readonly data: { readonly secret: string } };
    const headers = { authorization: `Bearer ${data.secret}` };
    return { url, pid: child.pid ?? 0, headers, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function firstLine(out: NodeJS.ReadableStream): Promise<{ readonly url: string }> {
  for await (const line of createInterface({ input: out }))
    return JSON.parse(line) as { readonly url: string };
  throw new Error("the server must say that it serves, it ended without a word");
}

/** The seqs of the entries of a stream of events, as they come. */
export async function* seqsOf(stream: Response): AsyncGenerator<number> {
  const { body } = stream;
  if (body === null) throw new Error("a stream of events must have a body, it has none");
  let rest = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("id:")) yield Number(line.slice(3));
  }
}
