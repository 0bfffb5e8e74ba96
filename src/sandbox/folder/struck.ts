import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { isObject, noteNow } from "./document.ts";

/** Beside the folders of sandboxes, and no sandbox's own. */
const NAME = ".struck.json";

/** A sandbox that was killed together with others. */
export interface Struck {
  /** How many processes it had then. */
  readonly count: number;
  /** Who has killed it, as its outcome names it. */
  readonly by: string;
}

/**
 * `.struck.json`: whom one order has killed. It is written before the order is given, so that
 * whoever ends one of them, in whatever process and after whatever crash, knows that it was killed
 * and what it had. One file instead of hundreds.
 */
export class StruckNote {
  readonly #root: string;
  #known: ReadonlyMap<string, Struck> = new Map();
  #seen = "";

  /** `root`: the folder that the folders of sandboxes lie in. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Adds to it; what it says of a sandbox already stays. Throws the file system's own error. */
  add(counts: ReadonlyMap<string, number>, by: string): void {
    const added = [...counts].map(([instance, count]) => [instance, { count, by }] as const);
    const all = new Map([...added, ...this.read()]);
    noteNow(this.#root, NAME, { version: 1, struck: Object.fromEntries(all) });
  }

  /** What it says of all; read again only when it has changed. */
  read(): ReadonlyMap<string, Struck> {
    const file = join(this.#root, NAME);
    const now = statSync(file, { throwIfNoEntry: false });
    const seen = now === undefined ? "" : `${now.ino} ${now.mtimeMs} ${now.size}`;
    if (seen === this.#seen) return this.#known;
    this.#seen = seen;
    this.#known = new Map(now === undefined ? [] : parse(file));
    return this.#known;
  }
}

/** Removes what says nothing of any sandbox that there is, and what a crash left of writing it. */
export function clearStruck(root: string): void {
  for (const name of readdirSync(root))
    if (name.startsWith(`.${NAME}.`)) rmSync(join(root, name), { force: true });
  const file = join(root, NAME);
  if (!existsSync(file)) return;
  const isOfUse = parse(file).some(([instance]) => existsSync(join(root, instance)));
  if (!isOfUse) rmSync(file, { force: true });
}

function parse(file: string): readonly (readonly [string, Struck])[] {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (!isObject(value) || value["version"] !== 1 || !isObject(value["struck"])) return [];
    return Object.entries(value["struck"]).flatMap(([instance, one]) =>
      isStruck(one) ? [[instance, one] as const] : [],
    );
  } catch {
    // Gone, or damaged: it says nothing.
    return [];
  }
}

function isStruck(value: unknown): value is Struck {
  if (!isObject(value)) return false;
  return Number.isSafeInteger(value["count"]) && typeof value["by"] === "string";
}
