import { expect, test } from "vitest";
import { kill, useGround } from "./state-folder.ts";

const ground = useGround();

test("[SB42] what was not measured or enforced is not claimed (replication B11)", async () => {
  const exited = new Promise((resolve) => ground.sandbox.onExit(resolve));
  await ground.sandbox.start({ instance: "w-a", run: ["true"], files: {} });
  await exited;
  const ending = await kill(ground.sandbox, "w-a");
  // No peak memory, no cpu time, no word of a limit: this driver takes and sets none.
  expect(ending?.outcome).toEqual({ exit_code: 0 });
  expect(Object.keys(ending?.evidence.facts ?? {}).join(" ")).not.toMatch(
    /limit|enforce|memory|cpu/,
  );
});
