import type { ArmedDocument } from "../../library/feed/armed.ts";
import { durationText } from "./duration.ts";
import { plainText } from "./plain.ts";

/** Says in a line how a fleet stands with its armed checks. */
export function armedText({ standing, every_ms: everyMs, age_ms, last }: ArmedDocument): string {
  const due = `due every ${durationText(everyMs)}`;
  const outcome = last === null ? "" : outcomeText(last);
  const before = last === null ? "" : `; the last, ${durationText(age_ms ?? 0)} ago, ${outcome}`;
  switch (standing) {
    case "off":
      return `off${before}`;
    case "never":
      return `never made yet, ${due}`;
    case "overdue":
      return `OVERDUE, ${due}${before}`;
    case "proven":
      return `passed ${durationText(age_ms ?? 0)} ago, ${due}: ${outcome}`;
    case "failed":
      return `FAILED ${durationText(age_ms ?? 0)} ago, ${due}: ${outcome}`;
  }
}

function outcomeText({ ok, problem, took_ms, grade }: NonNullable<ArmedDocument["last"]>): string {
  if (!ok) return plainText(problem ?? "it has failed");
  return `a canary was killed with proof (${grade}) in ${durationText(took_ms)}`;
}
