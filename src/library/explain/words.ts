// Small words that every sentence about the record is put together from.

import type { Actor } from "../../kernel/actor.ts";
import type { Budget } from "../../kernel/budget/budget.ts";
import { flatten } from "../../kernel/budget/allowance.ts";
import type { State } from "../../kernel/state.ts";
import type { HitLimit, LimitHit } from "../../kernel/worker/limit.ts";

/** Answers the name of a worker by its id, where it is known. */
export type Named = (id: string) => string | undefined;

/** The names of the workers that a state holds. */
export function namesIn(...states: readonly State[]): Named {
  return (id) => {
    for (const state of states) {
      const worker = state.workers.get(id);
      if (worker !== undefined) return worker.name;
    }
    return undefined;
  };
}

/** A worker for people: `w-… ("api")`, or its id alone. */
export function workerWords(id: string, named: Named): string {
  const name = named(id);
  return name === undefined ? id : `${id} (${quoted(name)})`;
}

/** Several workers for people, a few by name. */
export function workersWords(ids: readonly string[], named: Named): string {
  const shown = ids.slice(0, namedMax).map((id) => workerWords(id, named));
  const more = ids.length > namedMax ? [`${ids.length - namedMax} more`] : [];
  return listWords([...shown, ...more]);
}

/** How many workers are named in one sentence. */
const namedMax = 5;

/** Joins words as a sentence does: `a, b and c`. */
export function listWords(words: readonly string[], last = "and"): string {
  if (words.length < 2) return words[0] ?? "";
  return `${words.slice(0, -1).join(", ")} ${last} ${String(words.at(-1))}`;
}

/** A text of a user's, in quotes. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Who asked, for people: `operator anna`, `worker w-…`, `the supervisor`, `Stint itself`. */
export function actorWords(actor: Actor, named: Named): string {
  const { kind, id } = actor;
  switch (kind) {
    case "operator":
      return id === undefined ? "an operator" : `operator ${quoted(id)}`;
    case "worker":
      return id === undefined ? "a worker" : `worker ${workerWords(id, named)}`;
    case "supervisor":
      return "the supervisor";
    case "system":
      return "Stint itself";
  }
}

/** An instant of journal time, UTC to the millisecond; beyond all dates as a number. */
export function instantWords(atMs: number): string {
  const date = new Date(atMs);
  return Number.isNaN(date.getTime()) ? `${atMs} ms` : date.toISOString();
}

const SPAN_UNITS = [
  { name: "h", ms: 3_600_000 },
  { name: "m", ms: 60_000 },
  { name: "s", ms: 1_000 },
  { name: "ms", ms: 1 },
] as const;

/** A span of time, exactly: `10m`, `1h 30m`, `2s 500ms`. */
export function spanWords(ms: number): string {
  let left = ms;
  const parts = SPAN_UNITS.flatMap((unit) => {
    const count = Math.floor(left / unit.ms);
    left -= count * unit.ms;
    return count === 0 ? [] : [`${count}${unit.name}`];
  });
  return parts.length === 0 ? "0ms" : parts.join(" ");
}

/** What is said of each limit: its unit's words, around an amount. */
const LIMIT_WORDS: Readonly<Record<HitLimit, (amount: number) => string>> = {
  memory_bytes: (amount) => `${sizeWords(amount)} of memory`,
  processes: (amount) => countWords(amount, "process", "processes"),
  wall_ms: (amount) => `${amount} ms of time`,
  output_bytes: (amount) => `${sizeWords(amount)} of output`,
  open_files: (amount) => countWords(amount, "open file", "open files"),
  scratch_bytes: (amount) => `${sizeWords(amount)} of temporary files`,
};

/** That a limit was hit, for people: `its limit of 10 processes (10 used), 37 times`. */
export function hitWords({ limit, value, use, count }: LimitHit): string {
  const used = limit.endsWith("_bytes") ? sizeWords(use) : String(use);
  const often = count === 1 ? "once" : `${count} times`;
  return `its limit of ${LIMIT_WORDS[limit](value)} (${used} used), ${often}`;
}

function countWords(amount: number, one: string, many: string): string {
  return `${amount} ${amount === 1 ? one : many}`;
}

const sizeUnits = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** A size for people, in the largest unit of which there is one, to a tenth: `1.5 GiB`. */
function sizeWords(sizeBytes: number): string {
  let [amount, unit] = [sizeBytes, 0];
  while (amount >= 1_024 && unit < sizeUnits.length - 1) {
    amount /= 1_024;
    unit += 1;
  }
  return `${Math.round(amount * 10) / 10} ${sizeUnits[unit]}`;
}

/** A budget for people: `cpu_milli 500, memory_bytes 1024`; what is absent is unlimited. */
export function budgetWords(budget: Budget): string {
  const amounts = Object.entries({ ...flatten(budget), ...boundsOf(budget) });
  if (amounts.length === 0) return "unlimited in every key";
  return amounts.map(([key, amount]) => `${key} ${amount}`).join(", ");
}

function boundsOf({ lifetime_ms, wall_ms }: Budget): Readonly<Record<string, number>> {
  return {
    ...(lifetime_ms === undefined ? {} : { lifetime_ms }),
    ...(wall_ms === undefined ? {} : { wall_ms }),
  };
}
