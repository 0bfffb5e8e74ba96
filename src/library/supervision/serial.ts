import { sha256Of } from "../../runtime/canonical.ts";

/** A start that a plan has announced before, and the worker that it came to. */
export interface KnownStart {
  readonly lane: string;
  readonly runId: string;
  /** The how manyth of its lane. */
  readonly serial: number;
  /** Null where nothing has come of it. */
  readonly worker: string | null;
  /** Whether something may come of it yet. */
  readonly isUnderWay: boolean;
}

/**
 * Names starts, so that two who plan the same mean the same worker: by the lane and the how manyth
 * start it is there. One that was announced a moment ago, and of which nothing has come yet, is
 * meant again; one that has come to nothing by then is not, for what was refused once is refused
 * under its name for good.
 */
export class Serials {
  readonly #again = new Map<string, KnownStart[]>();
  readonly #newest = new Map<string, number>();

  constructor(starts: readonly KnownStart[]) {
    for (const start of starts.toSorted((one, other) => one.serial - other.serial)) {
      const { lane, serial, worker, isUnderWay } = start;
      this.#newest.set(lane, serial);
      if (worker === null && isUnderWay)
        this.#again.set(lane, [...(this.#again.get(lane) ?? []), start]);
    }
  }

  /** The name of the next start of a lane. */
  next(lane: string): string {
    const again = this.#again.get(lane)?.shift();
    if (again !== undefined) return again.runId;
    const serial = (this.#newest.get(lane) ?? 0) + 1;
    this.#newest.set(lane, serial);
    return runIdOf(lane, serial);
  }
}

/** How many characters of a lane's name stand in the name of a start, and what of a longer one. */
const laneCharsMax = 40;
const headChars = 24;
const digestChars = 12;

/** The name of the how manyth start of a lane: within what names may have. */
export function runIdOf(lane: string, serial: number): string {
  return `${prefixOf(lane)}${serial}`;
}

/** The how manyth start of a lane a name is of; undefined for one that is none of a plan's. */
export function serialOf(lane: string, runId: string | undefined): number | undefined {
  const prefix = prefixOf(lane);
  if (runId?.startsWith(prefix) !== true) return undefined;
  const serial = Number(runId.slice(prefix.length));
  return Number.isSafeInteger(serial) && serial > 0 ? serial : undefined;
}

function prefixOf(lane: string): string {
  const isShort = lane.length <= laneCharsMax;
  const name = isShort
    ? lane
    : `${lane.slice(0, headChars)}-${sha256Of(lane).slice(0, digestChars)}`;
  return `supervise.${name}.`;
}
