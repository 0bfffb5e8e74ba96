// The program `stint`: this file alone knows the process it runs in.

import { Interruption } from "./interruption.ts";
import { runProgram } from "./program.ts";
import { reportError } from "./report.ts";
import { processTerminal } from "./terminal.ts";

const SIGNAL_EXITS = { SIGINT: 130, SIGQUIT: 131, SIGTERM: 143, SIGHUP: 129 } as const;

// Not awaited at the top: what is loaded on demand may import this very file's chunk, and would
// wait for it for ever.
void main();

async function main(): Promise<void> {
  const interrupted = new AbortController();
  const forced = new AbortController();
  const interrupt = (what: string, exitCode: number): void => {
    const reason = new Interruption(what, exitCode);
    // The first asks, the second insists, the third waits for nothing.
    if (!interrupted.signal.aborted) interrupted.abort(reason);
    else if (!forced.signal.aborted) forced.abort(reason);
    else process.exit(exitCode);
  };
  for (const [signal, exitCode] of Object.entries(SIGNAL_EXITS))
    process.on(signal, () => {
      // A verb that outlives its terminal listens for itself.
      const isOthers = signal === "SIGHUP" && process.listenerCount(signal) > 1;
      if (!isOthers) interrupt(signal, exitCode);
    });
  const terminal = processTerminal(() => interrupt("nobody reads the output", 0));
  // Whoever waits for what never comes must not look as if all were done.
  process.once("beforeExit", () => {
    terminal.note("stint: bug in stint: it ended without an answer\n");
    process.exit(1);
  });
  const exitCode = await runProgram(process.argv.slice(2), {
    terminal,
    signal: interrupted.signal,
    force: forced.signal,
    env: process.env,
  });
  const lost = await terminal.drain();
  if (lost !== undefined) terminal.note(`stint: ${reportError(lost).text}\n`);
  // A handle that was left open must not keep a program that has answered.
  process.exit(lost === undefined || exitCode !== 0 ? exitCode : reportError(lost).exit);
}
