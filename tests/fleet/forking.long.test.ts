import { expect, test } from "vitest";
import { RUNGS } from "./field.ts";
import { killForkers } from "./forking.ts";

test.each(RUNGS)(
  "[PF7] on the rung %s a kill ends 20 workers that fork without end",
  async (rung) => {
    expect(await killForkers(rung)).toMatchObject({ survivor_count: 0, stopped_count: 20 });
  },
  300_000,
);
