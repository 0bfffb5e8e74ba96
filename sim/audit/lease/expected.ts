import { isDeepStrictEqual } from "node:util";
import type { Entry } from "../../../src/kernel/entry.ts";
import type { Event } from "../../../src/kernel/event.ts";
import type { RefusalCode } from "../../../src/kernel/refusal.ts";
import type { Problem } from "../books.ts";
import { isSameGround } from "../grounds.ts";
import type { Stake } from "./books.ts";

/** What an entry must say: its kind and the data that follows from its command and the books. */
export type Said = {
  [K in Event["kind"]]: {
    readonly kind: K;
    readonly data: Readonly<Record<string, unknown>>;
  };
}[Event["kind"]];

/** What a command must come to: a refusal by one code, or these entries, which may be none. */
export type Expected =
  | { readonly code: RefusalCode; readonly tried?: readonly RefusalCode[] }
  | { readonly entries: readonly Said[] };

/** A refusal that must be given. */
export function no(code: RefusalCode): Expected {
  return { code };
}

/** Entries that must be written; none when the command changes nothing. */
export function yes(...entries: readonly Said[]): Expected {
  return { entries };
}

/** An event's data without fields that are absent. */
export function given(data: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
}

/** What is wrong with the outcome of a decision: whether it is refused, and what else it says. */
export function outcomeProblems(
  expected: Expected,
  outcome: readonly Entry[],
  foldsCase: boolean,
): Problem[] {
  const told = outcome.map(({ kind, data }) =>
    kind === "command.refused" && "code" in data ? `refused ${data.code}` : kind,
  );
  const wanted =
    "code" in expected ? [`refused ${expected.code}`] : expected.entries.map(({ kind }) => kind);
  if (told.join() !== wanted.join()) {
    const message = `it must come to [${wanted.join()}], it came to [${told.join()}]`;
    return [{ rule: "SM9", message }];
  }
  if ("code" in expected) return triedProblems(expected.tried ?? [], outcome[0]);
  return expected.entries.flatMap(({ data }, index) =>
    dataProblems(data, outcome[index] as Entry, foldsCase),
  );
}

function triedProblems(tried: readonly RefusalCode[], entry: Entry | undefined): Problem[] {
  if (entry?.kind !== "command.refused") return [];
  const told = entry.data.facts["tried"] as readonly { readonly code: string }[] | undefined;
  const codes = (told ?? []).map(({ code }) => code);
  if (isDeepStrictEqual(codes, tried)) return [];
  const message = `lanes must have been tried with [${tried.join()}], it says [${codes.join()}]`;
  return [{ rule: "SM9", message }];
}

function dataProblems(
  wanted: Readonly<Record<string, unknown>>,
  entry: Entry,
  foldsCase: boolean,
): Problem[] {
  const told = entry.data as unknown as Readonly<Record<string, unknown>>;
  const keys = new Set([...Object.keys(wanted), ...Object.keys(told)]);
  const isWrong = (key: string): boolean => {
    if (key === "region") return !isOneRegion(wanted[key], told[key], foldsCase);
    if (key === "grounds") return !areGrounds(wanted[key], told[key], foldsCase);
    return !isSaid(key, wanted[key], told[key]);
  };
  const wrong = [...keys].filter(isWrong);
  return wrong.map((key) => {
    const [want, got] = [wanted[key], told[key]].map((value) => JSON.stringify(value));
    return { rule: "SM9", message: `${key} of ${entry.kind} must be ${want}, got ${got}` };
  });
}

function isOneRegion(wanted: unknown, told: unknown, foldsCase: boolean): boolean {
  if (!Array.isArray(wanted) || !Array.isArray(told)) return false;
  return isSameGround({ patterns: wanted, foldsCase }, { patterns: told, foldsCase });
}

/** Whether grounds are the same one by one, their regions by what they have. */
function areGrounds(wanted: unknown, told: unknown, foldsCase: boolean): boolean {
  if (!Array.isArray(wanted) || !Array.isArray(told) || wanted.length !== told.length) return false;
  return wanted.every(({ region, ...other }: Stake, index) => {
    const { region: got, ...rest } = told[index] as Stake;
    return isDeepStrictEqual(rest, other) && isOneRegion(region, got, foldsCase);
  });
}

function isSaid(key: string, wanted: unknown, told: unknown): boolean {
  if (key !== "passed_over" || !Array.isArray(told)) return isDeepStrictEqual(wanted, told);
  const codes = told.map(({ lane, code }: { lane: string; code: string }) => ({ lane, code }));
  return isDeepStrictEqual(codes, wanted);
}
