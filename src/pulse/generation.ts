import type { Random } from "../ports/random.ts";

const generationBytes = 16;

/** A name for a new pulse store that no other store ever had, in lowercase hex. */
export function newGeneration(random: Random): string {
  return Buffer.from(random.bytes(generationBytes)).toString("hex");
}

/** Whether a beat may carry this progress: none, or a safe integer from 0 on. */
export function isProgress(progress: number | undefined): boolean {
  return progress === undefined || (Number.isSafeInteger(progress) && progress >= 0);
}
