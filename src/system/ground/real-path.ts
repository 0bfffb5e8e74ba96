import { isUtf8 } from "node:buffer";
import { lstatSync, readlinkSync } from "node:fs";
import { codeOf } from "../../ports/error-code.ts";

/** How many links one path may lead over (path_resolution(7)). */
const linksMax = 40;

/** How many names one path may have, those of links on its way included. */
const namesMax = 1_024;

/** What is remembered of a file system at once, names. */
const knownMax = 100_000;

/** Stands for bytes that are no text: two names that have it need not be the same. */
const REPLACEMENT = "\ufffd";

/** What a name leads to: on, to nothing, by a link somewhere else, or where nobody can say. */
type Seen =
  | { readonly kind: "on" | "missing" | "unknown" }
  | { readonly kind: "link"; readonly target: string };

/**
 * Follows paths as the system does: a link before the `..` behind it, and what is missing to where
 * it would be made. It reads each name once; use a new one for what may have changed.
 */
export class PathFollower {
  readonly #known = new Map<string, Seen>();

  /**
   * The absolute path without links that a path from `/` leads to. Undefined where that cannot be
   * said: links in a circle, a folder that may not be looked into, a name that is no text, a path
   * over {@link namesMax}, and `/proc`, where links lead elsewhere for everybody who follows them.
   */
  follow(path: string): string | undefined {
    // To be taken from its end: what a link leads to comes before what is left.
    const names = path.split("/").toReversed();
    const found: string[] = [];
    let [nameCount, linkCount] = [0, 0];
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      if (name === "" || name === ".") continue;
      nameCount += 1;
      if (nameCount > namesMax || !isText(name)) return undefined;
      if (name === "..") {
        found.pop();
        continue;
      }
      found.push(name);
      if (found[0] === "proc") return undefined;
      const seen = this.#see(`/${found.join("/")}`);
      if (seen.kind === "unknown") return undefined;
      if (seen.kind !== "link") continue;
      linkCount += 1;
      if (linkCount > linksMax) return undefined;
      if (seen.target.startsWith("/")) found.length = 0;
      else found.pop();
      names.push(...seen.target.split("/").toReversed());
    }
    return `/${found.join("/")}`;
  }

  #see(path: string): Seen {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    if (this.#known.size >= knownMax) this.#known.clear();
    const seen = look(path);
    this.#known.set(path, seen);
    return seen;
  }
}

function isText(name: string): boolean {
  return !name.includes("\0") && !name.toWellFormed().includes(REPLACEMENT);
}

function look(path: string): Seen {
  try {
    if (!lstatSync(path).isSymbolicLink()) return { kind: "on" };
    const target = readlinkSync(path, { encoding: "buffer" });
    if (!isUtf8(target)) return { kind: "unknown" };
    return { kind: "link", target: target.toString() };
  } catch (error) {
    // What lies below a plain file is not there either; all else hides what is there.
    const isMissing = ["ENOENT", "ENOTDIR"].includes(codeOf(error));
    return { kind: isMissing ? "missing" : "unknown" };
  }
}
