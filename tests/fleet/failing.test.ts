import { expect, test } from "vitest";
import { killAroundOne } from "./failing.ts";

test("[PF5] one that cannot be ended holds up no other (replication C1)", async () => {
  const receipt = await killAroundOne("cgroup");
  expect(receipt).toMatchObject({ stopped_count: 3, survivor_count: 1, proven: false });
}, 180_000);
