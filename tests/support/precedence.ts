// Tables of precedence: for two codes of which each would refuse alone, the earlier one is given.
import { expect } from "vitest";
import type { RefusalCode } from "../../src/kernel/refusal.ts";
import { given, type Step } from "./scenario.ts";

/** What makes a command be refused by one code, in a way that others can be added to. */
export interface Obstacle<Request> {
  readonly code: RefusalCode;
  /** A name where one code has several obstacles. */
  readonly name?: string;
  /** What happened before: earlier stages first, whatever the order of the codes. */
  readonly stage?: 1 | 2 | 3;
  readonly steps?: readonly Step[];
  readonly request?: Request;
  /** Obstacles that cannot stand in the way together with this one. */
  readonly not?: readonly string[];
}

/** The name of an obstacle in its table. */
export function nameOf({ code, name }: Obstacle<unknown>): string {
  return name ?? code;
}

/** All pairs of a table that can stand in the way together, the earlier one first. */
export function pairsOf<R>(
  table: readonly Obstacle<R>[],
): readonly { readonly first: Obstacle<R>; readonly second: Obstacle<R> }[] {
  return table.flatMap((first, index) =>
    table
      .slice(index + 1)
      .filter((second) => !excludes(first, second) && !excludes(second, first))
      .map((second) => ({ first, second })),
  );
}

function excludes(one: Obstacle<unknown>, other: Obstacle<unknown>): boolean {
  return one.not?.includes(nameOf(other)) ?? false;
}

/** Plays a command against some obstacles and expects the code of the first. */
export function expectFirst<R extends object>(
  obstacles: readonly Obstacle<R>[],
  play: { readonly base: readonly Step[]; readonly command: (request: Partial<R>) => Step },
): void {
  const staged = obstacles.toSorted((one, other) => (one.stage ?? 1) - (other.stage ?? 1));
  const steps = [...play.base, ...staged.flatMap((one) => one.steps ?? [])];
  // Of two wishes for one field the first obstacle's counts.
  const request = Object.assign({}, ...obstacles.toReversed().map((one) => one.request)) as R;
  const outcome = given(...steps).when(play.command(request));
  expect(outcome.decision.refusal).toMatchObject({ code: obstacles[0]?.code });
}
