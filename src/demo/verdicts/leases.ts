import { counted } from "../telling/counted.ts";
import type { Verdict } from "./verdict.ts";

/** Two who wanted one file, as the journal has it. */
export interface TurnsSeen {
  /** Who got it first, and who was refused. */
  readonly first: string;
  readonly second: string;
  /** What the refusal names. */
  readonly witness: unknown;
  readonly file: string;
  readonly holder: unknown;
  readonly grantedSeq: number;
  readonly refusedSeq: number;
  readonly releasedSeq: number;
  readonly grantedAgainSeq: number;
}

/** One has it, the other is told who, and gets it when it was given back, not before. */
export function turns(seen: TurnsSeen): Verdict {
  const { first, second, witness, file, holder } = seen;
  const seqs = [seen.grantedSeq, seen.refusedSeq, seen.releasedSeq, seen.grantedAgainSeq];
  const isInTurn = seqs.every((seq, index) => index === 0 || seq > (seqs[index - 1] ?? 0));
  const isNamed = witness === file && holder === first;
  return {
    isSeen: isInTurn && isNamed && first !== second,
    details: [
      `by the journal, granted (entry ${seen.grantedSeq}), refused (${seen.refusedSeq})`,
      `given back (${seen.releasedSeq}), granted to the other (${seen.grantedAgainSeq})`,
      isNamed
        ? `the refusal named the file and its holder`
        : `the refusal named ${String(witness)}`,
    ],
  };
}

/** What new processes were answered that asked who may write a file. */
export interface StaleFenceSeen {
  readonly staleFence: number;
  readonly exit: number | string;
  readonly code: unknown;
  readonly reason: unknown;
  /** The same for who holds it then. */
  readonly fence: number;
  readonly exitOfHolder: number | string;
}

/** Who held a file may not write it under the fence of then; who holds it may. */
export function staleFence(seen: StaleFenceSeen): Verdict {
  const { exit, code, reason, exitOfHolder, fence } = seen;
  const isRefused = exit === 3 && code === "not_writable" && reason === "fence_stale";
  return {
    isSeen: isRefused && exitOfHolder === 0 && fence > seen.staleFence,
    details: [
      `\`stint lease check\` with fence ${seen.staleFence} exits with ${exit}`,
      String(reason),
      `with fence ${fence} of who holds it with ${exitOfHolder}`,
    ],
  };
}

/** What is left of one edit. */
export interface EditSeen {
  readonly name: string;
  /** Whether its line stands in the file. */
  readonly isInFile: boolean;
  /** The files that its commits have changed, and by how many lines; null without git. */
  readonly changes: readonly { readonly file: string; readonly lines: number }[] | null;
}

/** What is left of all edits. */
export interface SurvivalSeen {
  readonly file: string;
  readonly edits: readonly EditSeen[];
  /** Whether it is a clone of the tree, and not made of copies. */
  readonly isClone: boolean;
}

/** Both lines stand in the file, and each commit has added its one line and nothing else. */
export function survival({ file, edits, isClone }: SurvivalSeen): Verdict {
  const isCommitted = ({ changes }: EditSeen): boolean =>
    changes === null ||
    (changes.length === 1 && changes.every((change) => change.file === file && change.lines === 1));
  const lost = edits.filter((edit) => !edit.isInFile || !isCommitted(edit));
  const commits = edits.flatMap(({ changes }) => changes ?? []).length;
  const withGit = edits.every(({ changes }) => changes !== null);
  const where = isClone ? "a clone" : withGit ? "a repository of copies" : "a copy";
  return {
    isSeen: lost.length === 0 && edits.length === 2,
    details: [
      `${file} of ${where} has the lines of ${edits.map(({ name }) => name).join(" and ")}`,
      withGit
        ? `${counted(commits, "commit")} by git log, a line each`
        : "there is no git to commit",
      lost.length === 0 ? "" : `LOST: ${lost.map(({ name }) => name).join(" ")}`,
    ],
  };
}

/** What the exported journal shows of leases. */
export interface NeverBothSeen {
  readonly grantCount: number;
  readonly things: readonly string[];
  readonly clashes: readonly string[];
  readonly unread: readonly string[];
  readonly entryCount: number;
}

/** After no entry does the journal have two leases on one thing, though some was held twice. */
export function neverBoth(seen: NeverBothSeen): Verdict {
  const { grantCount, things, clashes, unread } = seen;
  return {
    isSeen: clashes.length === 0 && unread.length === 0 && grantCount > things.length,
    details: [
      `${counted(grantCount, "lease")} on ${counted(things.length, "thing")}`,
      `looked at after each of the ${seen.entryCount} exported entries`,
      clashes.length === 0 ? "" : `HELD TWICE: ${clashes.join(", ")}`,
      unread.length === 0 ? "" : `not one thing: ${unread.join(" ")}`,
    ],
  };
}
