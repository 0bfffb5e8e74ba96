import type { WritingReason, WritingVerdict } from "../../kernel/ground/writing.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { demandOptions } from "../given-options.ts";
import { toEdge, type Camel } from "../names.ts";
import { absentLeftOut, demandText } from "./options.ts";

/** Why a path may be written, or may not. */
export type PathReason = WritingReason;

/** Whether a path may be written, as a document, with the path as it was given. */
export interface PathDocument extends WritingVerdict {
  readonly path: string;
  /** A few live leases on what lies below it, should it be a folder; absent where none are. */
  readonly below?: readonly string[];
}

/** Whether a path may be written, by whose lease or in spite of whose; null: by none. */
export type PathVerdict = Camel<PathDocument>;

/** How a worker asks whether it may write paths. */
export interface OwnCheckOptions {
  /** The fence of the lease under which it means to write; an older one gives nothing. */
  readonly fence?: number;
  /** Whether free ground counts as not writable, whatever the fleet's rules say; default false. */
  readonly strict?: boolean;
  /** Where paths begin that are not absolute; default the current folder. */
  readonly cwd?: string;
}

/** How an operator asks whether somebody may write paths. */
export interface CheckOptions extends OwnCheckOptions {
  /** Who would write: a worker or an outside party, as for a lease. */
  readonly holder: string;
  /**
   * The folder whose files the fleet is about, for a fleet that is kept neither in a repository nor
   * in a folder's `.stint`.
   */
  readonly root?: string;
}

/** What is asked about paths, in the form that crosses a wire; who asks is known otherwise. */
export interface CheckOrder {
  readonly paths: readonly string[];
  /** An absolute path. */
  readonly cwd: string;
  readonly fence?: number;
  readonly strict?: boolean;
}

/** Reads what a worker asks. Throws an InputError. */
export function readOwnCheck(paths: unknown, options: unknown = {}): CheckOrder {
  demandOptions(options, OWN_FIELDS);
  const { fence, strict, cwd } = options as OwnCheckOptions;
  return readOrder({ paths, fence, strict, cwd: cwd ?? process.cwd() }, "options.");
}

/** Reads what an operator asks. Throws an InputError. */
export function readCheck(
  paths: unknown,
  options: unknown,
): { readonly order: CheckOrder; readonly holder: string; readonly root?: string } {
  demandOptions(options, [...OWN_FIELDS, "holder", "root"], "an object with a holder");
  const { holder, root, ...own } = options as CheckOptions;
  return absentLeftOut({
    order: readOwnCheck(paths, own),
    holder: demandText(holder, "options.holder"),
    root: root === undefined ? undefined : demandPath(root, "options.root"),
  });
}

const OWN_FIELDS = ["fence", "strict", "cwd"];

/** Reads what crosses a wire; `lead` stands before its fields. Throws an InputError. */
export function readOrder(given: Readonly<Record<string, unknown>>, lead = ""): CheckOrder {
  const { paths, cwd, fence, strict, ...others } = given;
  for (const [name, value] of Object.entries(others))
    throw wrong(`${lead}${name}`, "absent", describeValue(value));
  const all: readonly unknown[] = Array.isArray(paths) ? paths : [paths];
  const { pathsCheckedMax: most } = LIMITS;
  if (all.length > most) {
    const problem = { path: "paths", expected: `at most ${most} paths`, got: `${all.length}` };
    throw new InputError("limit_exceeded", [problem]);
  }
  if (all.length === 0) throw wrong("paths", "at least one path", "[]");
  const from = demandPath(cwd, `${lead}cwd`);
  if (!from.startsWith("/")) throw wrong(`${lead}cwd`, "an absolute path", describeValue(cwd));
  if (fence !== undefined && !(Number.isSafeInteger(fence) && Number(fence) > 0))
    throw wrong(`${lead}fence`, "a fence: a whole number from 1 on", describeValue(fence));
  if (strict !== undefined && typeof strict !== "boolean")
    throw wrong(`${lead}strict`, "true or false", describeValue(strict));
  return absentLeftOut<CheckOrder>({
    paths: all.map((path, index) =>
      demandPath(path, Array.isArray(paths) ? `paths[${index}]` : "paths"),
    ),
    cwd: from,
    fence: fence as number | undefined,
    strict,
  });
}

function demandPath(value: unknown, path: string): string {
  if (typeof value === "string" && value !== "" && !value.includes("\0")) {
    const bytes = Buffer.byteLength(value);
    if (bytes <= LIMITS.pathBytesMax) return value;
    const problem = { path, expected: `at most ${LIMITS.pathBytesMax} bytes`, got: `${bytes}` };
    throw new InputError("limit_exceeded", [problem]);
  }
  throw wrong(path, "a path, of at least one character and without NUL", describeValue(value));
}

/** Verdicts as the library shows them, from documents of this very program. */
export function verdictsIn(
  documents: readonly (PathDocument | JsonObject)[],
): readonly PathVerdict[] {
  return toEdge(documents) as unknown as readonly PathVerdict[];
}

function wrong(path: string, expected: string, got: string): InputError {
  return new InputError("usage", [{ path, expected, got }]);
}
