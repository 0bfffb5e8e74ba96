import { existsSync, readdirSync } from "node:fs";
import { isRunning } from "../outside/table.ts";
import { CALL_MS_MAX, callStint, recordIn } from "../stage/command-line.ts";
import { Missed } from "../stage/patience.ts";
import type { Scene } from "../stage/stage.ts";

/** What a new process has found of the journal. */
export interface JournalFinding {
  readonly entryCount: number;
  readonly isVerified: boolean;
  readonly isReplayed: boolean;
}

/** A killed fleet takes nobody, neither here nor in a process that never knew it alive. */
export const latecomer: Scene = {
  checks: ["late", "late_process"],
  async play(stage) {
    const { census, fleet, checklist } = stage;
    const here = await fleet.tryStart({ name: "latecomer", run: ["true"] });
    checklist.judge("late", { code: here.ok ? "admitted" : here.refusal.code });
    const words = ["spawn", "--name", "latecomer", "--", "true"];
    const { exit, answer } = await callStint(stage, words);
    const code = recordIn(answer["refusal"])["code"];
    checklist.judge("late_process", {
      exit,
      code: typeof code === "string" ? code : undefined,
      processCount: census.look().length,
    });
  },
};

/** A new process verifies the journal, and this one folds it again. */
export const record: Scene<JournalFinding> = {
  checks: ["verified", "replayed"],
  async play(stage) {
    const { checklist, fleet } = stage;
    const { exit, data } = await callStint(stage, ["journal", "verify"]);
    const isStateSigned = data["state_same"] === true;
    const verified = {
      exit,
      isKeyTrusted: data["key_trusted"] === true,
      entryCount: numberIn(data["entry_count"]),
      anchorSeq: numberIn(data["anchor_seq"]),
    };
    checklist.judge("verified", verified);
    const audit = await fleet.audit();
    checklist.judge("replayed", {
      isSound: audit.ok,
      isReplayed: audit.isReplayed,
      isStateSigned,
      entryCount: audit.entryCount,
      entryCountElsewhere: verified.entryCount,
      stateHash: audit.stateHash,
      problems: audit.problems,
    });
    const { checks } = checklist;
    const isSeen = (name: string): boolean => checks.some((one) => one.name === name && one.isSeen);
    return {
      entryCount: audit.entryCount,
      isVerified: isSeen("verified"),
      isReplayed: isSeen("replayed"),
    };
  },
};

/** The supervisor leaves, and it is looked for what it leaves behind. */
export const leaving: Scene = {
  checks: ["gone"],
  async play(stage) {
    const { census, checklist, patience, premises } = stage;
    const { supervisor } = census;
    if (supervisor === undefined) throw new Error("a fleet that was supervised had a supervisor");
    const { exit, answer } = await callStint(stage, ["down"]);
    // It takes its sockets away first and ends a moment later.
    const awaited = { what: "the supervisor is gone", withinMs: CALL_MS_MAX };
    try {
      await patience.poll(awaited, () => !isRunning(supervisor));
    } catch (error) {
      // That it is still there is what the check tells.
      if (!(error instanceof Missed)) throw error;
    }
    const why = exit === 0 ? "" : `: ${JSON.stringify(answer)}`;
    checklist.judge("gone", {
      call: `\`stint down\` exits with ${exit}${why}`,
      supervisorPid: supervisor.pid,
      isSupervisorGone: !isRunning(supervisor),
      leftCount: census.left().length,
      socketCount: countSockets(premises.runtimeDir),
    });
  },
};

function numberIn(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function countSockets(runtimeDir: string | undefined): number {
  if (runtimeDir === undefined || !existsSync(runtimeDir)) return 0;
  const entries = readdirSync(runtimeDir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isSocket()).length;
}
