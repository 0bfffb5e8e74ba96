import { expect, test } from "vitest";
import { RUNGS } from "./field.ts";
import { killAroundOne } from "./failing.ts";

test.each(RUNGS)(
  "[PF5] on the rung %s one that cannot be ended holds up no other (replication C1)",
  async (rung) => {
    const receipt = await killAroundOne(rung);
    expect(receipt).toMatchObject({ stopped_count: 3, survivor_count: 1, proven: false });
  },
  300_000,
);
