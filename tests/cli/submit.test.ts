import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { builtBin, type Called } from "../support/cli.ts";
import { makeGround, type Ground } from "./ground.ts";

beforeAll(async () => void (await builtBin()), 120_000);

function give(ground: Ground, command: object): Promise<Called> {
  return ground.call(["submit", "-", "--json"], { stdin: JSON.stringify(command) });
}

test("[CV30] a command is taken from a file or stdin, and its decision is the answer", async () => {
  const ground = await makeGround();
  const paused = { kind: "fleet.pause", data: { reason: "drill" }, id: "drill-1" };
  const first = await give(ground, paused);
  expect(first.json()).toMatchObject({
    ok: true,
    data: { entries: [{ kind: "fleet.paused", id: "drill-1" }] },
    seq: expect.any(Number),
  });
  const file = join(ground.dir, "command.json");
  writeFileSync(file, JSON.stringify(paused));
  const again = await ground.call(["submit", file, "--json"]);
  expect(again.json()).toEqual(first.json());
  const shown = await ground.call(["submit", file]);
  expect(shown.stdout).toBe("granted: fleet.paused\n");
  const broken = await ground.call(["submit", "-", "--json"], { stdin: "{" });
  expect(broken.exit).toBe(2);
  expect(broken.json().error.code).toBe("usage");
  expect((await ground.call(["submit", "/no/such/file"])).exit).toBe(2);
});

test("[CV31] the seal that an admission answers is taken by a registration, once", async () => {
  const ground = await makeGround();
  const instance = `w-${"a".repeat(16)}`;
  const asked = { instance, name: "a", parent: null, reason: "drill", state: {}, budget: {} };
  const admitted = (await give(ground, { kind: "worker.admit", data: asked })).json();
  expect(admitted).toMatchObject({ ok: true, data: { entries: [{ kind: "worker.admitted" }] } });
  const { envelope } = admitted.data;
  const registered = await give(ground, { kind: "worker.register", data: { envelope } });
  expect(registered.json().data.entries[0].kind).toBe("worker.registered");
  const again = await give(ground, { kind: "worker.register", data: { envelope } });
  expect(again.json().refusal.code).toBe("manifest_used");
});
