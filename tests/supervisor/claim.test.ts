import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ask } from "./fixtures/ask.ts";
import { BY, makeRig } from "./rig.ts";

test("[SV1] of five that would supervise at once one serves, and four say who", async () => {
  const rig = await makeRig();
  const all = Array.from({ length: 5 }, () => rig.launch());
  await Promise.all(all.map((one) => one.started()));

  const serving = all.filter(({ said }) => said[0]?.["ok"] === true);
  expect(serving).toHaveLength(1);
  expect(serving[0]?.child.pid).toBe(rig.about.pid);
  const others = all.filter((one) => !serving.includes(one));
  for (const { said } of others) expect(said[0]).toMatchObject({ ok: false, already: true });
  expect(await Promise.all(others.map(({ exited }) => exited))).toEqual([0, 0, 0, 0]);
});

test("[SV2] the claim of a supervisor that was killed is free at once", async () => {
  const rig = await makeRig();
  const first = await rig.supervise();
  await first.kill();

  const startedMs = performance.now();
  const second = await rig.supervise();
  expect(second.child.pid).toBe(rig.about.pid);
  // Waiting for a claim to grow old would take seconds.
  expect(performance.now() - startedMs).toBeLessThan(5_000);
});

test("[SV2] a supervisor that stands still has its claim still", async () => {
  const rig = await makeRig();
  const first = await rig.supervise();
  first.child.kill("SIGSTOP");
  const second = await rig.launch().started();
  expect(second.said[0]).toMatchObject({ ok: false, already: true });
});

test("[SV3] a supervisor whose claim was taken away ends its workers and leaves", async () => {
  const rig = await makeRig();
  const supervised = await rig.supervise();
  const id = await rig.start(["/bin/sleep", "600"]);
  renameSync(join(rig.stateDir, "supervisor.db"), join(rig.stateDir, "elsewhere"));
  writeFileSync(join(rig.stateDir, "supervisor.db"), "");

  expect(await supervised.exited).toBe(0);
  expect(rig.processes()).toEqual([]);
  expect(await rig.end(id)).toMatchObject({ reason: "requested" });
});

test("[SV35] a supervisor whose journal was away ends its workers and leaves", async () => {
  const rig = await makeRig();
  const supervised = await rig.supervise();
  const id = await rig.start(["/bin/sleep", "600"]);
  const { socket } = rig.about;
  const token = rig.operatorToken;
  const away = join(rig.folder, "away");
  renameSync(rig.stateDir, away);
  // It looks at its journal, and finds none.
  const command = { kind: "fleet.pause", data: { reason: "a test" } };
  const body = { id: "c-1", command, by: BY };
  const reply = await ask({ socket, token, path: "/v1/commands", body });
  expect(reply.body.ok).toBe(false);
  renameSync(away, rig.stateDir);

  const startedMs = performance.now();
  expect(await supervised.exited).toBe(0);
  // It waits for no end to be journaled: none can be.
  expect(performance.now() - startedMs).toBeLessThan(10_000);
  expect(rig.processes()).toEqual([]);
  await rig.supervise();
  expect(await rig.end(id)).toMatchObject({ evidence: {} });
});

test("[SV4] token and claim are private, a token that others could read is replaced", async () => {
  const rig = await makeRig();
  const tokenFile = join(rig.stateDir, "operator.token");
  await (await rig.supervise()).kill();
  const token = rig.operatorToken;
  const files = ["operator.token", "supervisor.db", "supervisor.json", "supervisor.log"];
  const modes = files.map((file) => statSync(join(rig.stateDir, file)).mode & 0o777);
  expect(modes).toEqual(files.map(() => 0o600));

  await (await rig.supervise()).kill();
  expect(rig.operatorToken).toBe(token);

  rmSync(tokenFile);
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o644 });
  await rig.supervise();
  expect(rig.operatorToken).not.toBe(token);
  expect(statSync(tokenFile).mode & 0o777).toBe(0o600);
});
