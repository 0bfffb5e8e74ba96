// A folder with a fleet whose journal holds a little of everything, and the command line in it.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openFleet, sqlite, type ContractOptions, type Fleet } from "stint";
import { onTestFinished } from "vitest";
import { stint, type Called, type CallOptions } from "../support/cli.ts";
import { FROM_SOURCE } from "../support/from-source.ts";

/** A folder, perhaps with a fleet, and the command line called in it. */
export interface Site {
  readonly dir: string;
  readonly stateDir: string;
  readonly env: Readonly<Record<string, string>>;
  call(args: readonly string[], options?: CallOptions): Promise<Called>;
  /** Opens the fleet by the library, as this user, without a supervisor; closed with the test. */
  open(contract?: ContractOptions): Promise<Fleet>;
}

/** Makes a folder without a fleet; removed when the running test is over. */
export function makeSite(): Site {
  const base = mkdtempSync(join(tmpdir(), "stint-site-"));
  const dir = join(base, "site");
  const stateDir = join(dir, ".stint");
  mkdirSync(dir);
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  const env = {
    XDG_RUNTIME_DIR: join(base, "run"),
    XDG_STATE_HOME: join(base, "state"),
    NO_COLOR: "1",
  };
  return {
    dir,
    stateDir,
    env,
    call: (args, options = {}) =>
      stint(args, { ...options, cwd: options.cwd ?? dir, env: { ...env, ...options.env } }),
    open: async (contract = {}) => {
      const fleet = await openFleet({
        store: sqlite({ dir: stateDir }),
        contract: { allowDegraded: ["same_user", "network"], ...contract },
        supervisor: "none",
      });
      onTestFinished(() => fleet.close());
      return fleet;
    },
  };
}

/** A program that says something, joins as a worker, and then works until it is ended. */
export function talkingRun(text: string): [string, ...string[]] {
  const program = fileURLToPath(new URL("../library/worker.case.ts", import.meta.url));
  const joining = [process.execPath, FROM_SOURCE, program, "deaf"];
  return ["sh", "-c", 'printf "%s" "$1"; shift; exec "$@"', "sh", text, ...joining];
}

/** What {@link recordLife} leaves in the journal. */
export interface Life {
  /** The entry that refused a third worker. */
  readonly refusedSeq: number;
  /** The entries of the stop, and of its receipt. */
  readonly stopSeq: number;
  readonly receiptSeq: number;
  readonly workers: readonly [parent: string, child: string];
}

/** Records two workers, a refusal, a hostile reason, and a stop with its receipt; closes. */
export async function recordLife(site: Site): Promise<Life> {
  const fleet = await site.open({ maxReplicas: 2 });
  const parent = await fleet.start({ name: "main" });
  const child = await parent.maybeReplicate({ name: "child", reason: "more" });
  if (!child.ok) throw new Error("two workers must fit");
  await fleet.tryStart({ name: "third" });
  const refusedSeq = fleet.metrics().seq;
  await fleet.pause({ reason: "look \u001B[2J\u001B[31mred\nfleet.killed" });
  await fleet.resume();
  const receipt = await fleet.stop(parent.id);
  await fleet.look();
  const receiptSeq = fleet.metrics().seq;
  await fleet.close();
  return {
    refusedSeq,
    stopSeq: receipt.seq ?? 0,
    receiptSeq,
    workers: [parent.id, child.worker.id],
  };
}
