import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { admit, SUPERVISOR, type Ask } from "../../../support/scenario.ts";
import type { Called } from "../../../support/cli.ts";
import type { Scenarios } from "../scenario.ts";
import { stage } from "../stage.ts";

const tooLarge = { kind: "fleet.pause", data: { reason: "x".repeat(600_000) } };

/** What a call ends with for what was typed, or for how it went. */
export const INPUT: Scenarios = {
  usage: {
    play: async () => (await stage()).call(["stop", "--json"]),
    says: /^the workers must be named by ID…, .*, got nothing$/,
  },
  limit_exceeded: {
    play: async () => (await stage()).submits(tooLarge),
    says: /^the command must be at most 524288 bytes, got 600\d{3}$/,
  },
  entry_unknown: {
    play: async () => (await stage()).call(["explain", "99", "--json"]),
    says: /^SEQ must be .*, got 99/,
  },
  interrupted: {
    play: interruptSubmit,
    says: /must come to its end, it was interrupted: SIGINT$/,
  },
  unproven: {
    play: async () => {
      const process = { host_id: "h-another", pid: 4, started: "boot/1" };
      const elsewhere: Ask = (play) => {
        const data = { manifest: play.manifestOf("a"), envelope: "valid", process } as const;
        return { command: { kind: "worker.register", data }, by: SUPERVISOR };
      };
      const away = await (await stage()).given(admit("a"), elsewhere);
      return away.call(["stop", "--all", "--yes", "--grace", "0s", "--json"]);
    },
    says: /^1 worker was not seen to end: w-a2+ \(a\)$/,
  },
};

/** A call that waits for a command on stdin, and is told to end once it listens to signals. */
async function interruptSubmit(): Promise<Called> {
  const child = await (await stage()).begin(["submit", "-", "--json"]);
  const texts = [child.stdout, child.stderr].map(async (stream) => {
    let text = "";
    for await (const chunk of stream.setEncoding("utf8")) text += String(chunk);
    return text;
  });
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  while (!listensTo(child.pid ?? 0, 1)) await pause(10);
  child.kill("SIGINT");
  const exit = await closed;
  const [stdout = "", stderr = ""] = await Promise.all(texts);
  return {
    exit,
    signal: null,
    stdout,
    stderr,
    json: () => JSON.parse(stdout),
    lines: () => [JSON.parse(stdout)],
  };
}

/**
 * Whether a process handles a signal. Node handles SIGINT by itself; SIGHUP is the last that the
 * program takes upon itself.
 */
function listensTo(pid: number, signal: number): boolean {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const caught = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return (caught & (1n << BigInt(signal - 1))) !== 0n;
}
