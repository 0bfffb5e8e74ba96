// What guards a resource against holders that believe in a lease of theirs for too long: a file
// with the highest fence that has written there. It knows nothing of leases.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Somebody's try to write a path under a fence. */
export interface Writing {
  readonly path: string;
  readonly fence: number;
  readonly accepted: boolean;
}

/** Guards paths; a try is judged and noted in one turn, so two never overlap. */
export class Guard {
  readonly #folder: string;
  readonly #writings: Writing[] = [];

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** Takes a write, unless a newer fence has written there before. */
  write(path: string, fence: number): boolean {
    const file = join(this.#folder, path.replaceAll("/", "+"));
    const highest = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
    const accepted = fence >= highest;
    if (accepted) writeFileSync(file, `${fence}`);
    this.#writings.push({ path, fence, accepted });
    return accepted;
  }

  /** Every try, in order. */
  writings(): readonly Writing[] {
    return this.#writings;
  }
}
