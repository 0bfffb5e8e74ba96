import { LIMITS } from "../limits.ts";
import { Failure } from "./value.ts";

/** The most that one evaluation may spend. */
export const conditionStepsMax = LIMITS.conditionNodesMax * LIMITS.conditionMacroElementsMax;

/** Characters that one step reads: a step costs about the same time whatever it is spent on. */
const charactersPerStep = 16;

/** What is left to spend of {@link conditionStepsMax}; the same on every machine. */
export class Meter {
  #left = conditionStepsMax;

  /** Spends steps; false once more is spent than there was. */
  spend(steps: number): boolean {
    this.#left -= steps;
    return this.#left >= 0;
  }

  /** Spends what reading so many characters costs. */
  spendText(characters: number): boolean {
    return this.spend(Math.ceil(characters / charactersPerStep));
  }

  /** Spends what searching one text in another costs: at worst, each is read for each. */
  spendSearch(characters: number, sought: number): boolean {
    return this.spend(Math.ceil((characters * Math.max(sought, 1)) / charactersPerStep ** 2));
  }
}

/** The failure of an evaluation that needs more than {@link conditionStepsMax}. */
export const tooManySteps = new Failure(
  `condition must be decided in ${conditionStepsMax} steps, got more`,
  { final: true },
);

/** The failure of walking a list or map that is too long; undefined when it may be walked. */
export function tooLong(elementsCount: number): Failure | undefined {
  const most = LIMITS.conditionMacroElementsMax;
  if (elementsCount <= most) return undefined;
  const message = `a list or map must have at most ${most} elements to be walked`;
  return new Failure(`${message}, got ${elementsCount}`, { final: true });
}
