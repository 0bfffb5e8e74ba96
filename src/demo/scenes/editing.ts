import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MARKS, resourceOf } from "../scratch/clone.ts";
import { Desk } from "../scratch/desk.ts";
import { scratchGit } from "../scratch/git.ts";
import { callStint, recordIn } from "../stage/command-line.ts";
import { PATIENCE_MS, playScene, refusalsIn, type Scene, type Stage } from "../stage/stage.ts";
import type { ScratchTask } from "../task.ts";
import type { EditSeen } from "../verdicts/leases.ts";

/** Two children want one file of the scratch clone: the second waits, and both edits stay. */
export const editing: Scene = { checks: ["turns", "stale_fence", "survival"], play };

/** A lease on the file that two want, and who got it. */
interface Turn {
  readonly worker: string;
  readonly lease: string;
  readonly seq: number;
  readonly fence: number;
}

async function play(stage: Stage): Promise<void> {
  const desk = new Desk(stage.scratch.desk);
  try {
    const turns = await awaitTurns(stage);
    const scene: Scene = { checks: ["stale_fence"], play: () => checkFences(stage, turns) };
    await playScene(stage, scene);
  } finally {
    // Who has the file by now keeps it until then.
    desk.mark(MARKS.looked);
  }
  await checkSurvival(stage);
}

type Two = readonly [Turn, Turn];

/** Waits until the second has the file, and judges how that came about. */
async function awaitTurns(stage: Stage): Promise<Two> {
  const { checklist, chronicle } = stage;
  const file = sharedFile(stage);
  const within = { withinMs: PATIENCE_MS };
  const first = await chronicle.until(
    { what: "a child has the file that two want", ...within },
    () => turnsIn(stage).at(0),
  );
  const refused = await chronicle.until({ what: "the other is refused it", ...within }, () =>
    refusalsIn(chronicle.entries).find(
      ({ data }) => data.code === "conflict" && data.facts["leaseId"] === first.lease,
    ),
  );
  const second = await chronicle.until({ what: "the other has its turn", ...within }, () =>
    turnsIn(stage).at(1),
  );
  const released = chronicle.entries.find(
    (entry) => entry.kind === "lease.released" && entry.data.lease === first.lease,
  );
  checklist.judge("turns", {
    first: first.worker,
    second: refused.actor.id ?? "",
    witness: refused.data.facts["witness"],
    file,
    holder: refused.data.facts["holder"],
    grantedSeq: first.seq,
    refusedSeq: refused.seq,
    releasedSeq: released?.seq ?? 0,
    grantedAgainSeq: second.worker === refused.actor.id ? second.seq : 0,
  });
  return [first, second];
}

/** All leases on the file that two want, in their order. */
function turnsIn(stage: Stage): readonly Turn[] {
  const file = sharedFile(stage);
  return stage.chronicle.entries.flatMap((entry) => {
    if (entry.kind !== "lease.granted" || !entry.data.region.includes(file)) return [];
    const { holder } = entry.data;
    const worker = "worker" in holder ? holder.worker : holder.name;
    // An entry of the first epoch: the fence is its place, which the rules are held against below.
    return { worker, lease: `l-${entry.seq}`, seq: entry.seq, fence: entry.seq };
  });
}

function sharedFile({ scratch }: Stage): string {
  return resourceOf(scratch, sharedIn(scratch));
}

/** The file that two want. */
function sharedIn({ files }: ScratchTask): string {
  const all = Object.values(files);
  return all.find((file, index) => all.indexOf(file) !== index) ?? "";
}

/** New processes ask who may write: the first under the fence of then, and who has it by now. */
async function checkFences(stage: Stage, [first, second]: Two): Promise<void> {
  const path = join(stage.scratch.dir, sharedIn(stage.scratch));
  const ask = ({ worker, fence }: Turn): ReturnType<typeof callStint> =>
    callStint(stage, ["lease", "check", path, "--holder", worker, "--fence", String(fence)]);
  const [stale, current] = await Promise.all([ask(first), ask(second)]);
  const refusal = recordIn(stale.answer["refusal"]);
  const paths = recordIn(refusal["facts"])["paths"];
  stage.checklist.judge("stale_fence", {
    staleFence: first.fence,
    exit: stale.exit,
    code: refusal["code"],
    reason: recordIn(Array.isArray(paths) ? paths[0] : undefined)["reason"],
    fence: second.fence,
    exitOfHolder: current.exit,
  });
}

/** Both have given the file back: what they wrote is looked for in it, and in its history. */
async function checkSurvival(stage: Stage): Promise<void> {
  const { checklist, chronicle, scratch } = stage;
  const what = "both have given the file back";
  const isBack = ({ lease }: Turn): boolean =>
    chronicle.entries.some(
      (entry) => entry.kind === "lease.released" && entry.data.lease === lease,
    );
  const turns = await chronicle.until({ what, withinMs: PATIENCE_MS }, () => {
    const back = turnsIn(stage).filter(isBack);
    return back.length >= 2 ? back : undefined;
  });
  const file = sharedIn(scratch);
  const text = readFileSync(join(scratch.dir, file), "latin1");
  const edits: EditSeen[] = [];
  for (const { worker } of turns) {
    const name = nameOf(stage, worker);
    const isInFile = text.split("\n").some((line) => line.startsWith(`${name} (${worker}) `));
    edits.push({ name, isInFile, changes: scratch.git ? await changesBy(scratch, name) : null });
  }
  checklist.judge("survival", { file, edits, isClone: scratch.is_clone });
}

function nameOf({ chronicle }: Stage, worker: string): string {
  const entry = chronicle.entries.find(
    (one) => one.kind === "worker.admitted" && one.data.manifest.instance === worker,
  );
  return entry?.kind === "worker.admitted" ? entry.data.manifest.name : worker;
}

/** What the commits of somebody in the clone's history have changed, by git. */
async function changesBy(
  scratch: ScratchTask,
  name: string,
): Promise<readonly { readonly file: string; readonly lines: number }[]> {
  const how = ["--numstat", "--format=", "-z", "--no-renames", "--no-ext-diff", "--no-textconv"];
  const log = await scratchGit(scratch, ["log", ...how, "--fixed-strings", `--author=${name} <`]);
  return log.split("\0").flatMap((row) => {
    const [, added, deleted, file] = /^\s*(\d+)\t(\d+)\t(.+)$/s.exec(row) ?? [];
    // A last line that was not ended counts as another one when it is.
    return file === undefined ? [] : { file, lines: Number(added) - Number(deleted) };
  });
}
