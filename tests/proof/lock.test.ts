// The one lock that all decisions are made under, and who is let in when its owner is killed.
import { once } from "node:events";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { makeSite } from "./contest.ts";
import { auditLeases, readEntries } from "./outside-journal.ts";
import { granted, Party } from "./party.ts";

vi.setConfig({ testTimeout: 120_000 });

const PROGRAM = join(import.meta.dirname, "writer.case.ts");

/** Starts a process that has begun to write and does not end; answers how to kill it. */
async function beginWriting(stateDir: string): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, [PROGRAM, stateDir], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const exited = once(child, "exit");
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  onTestFinished(kill);
  await once(child, "message");
  return kill;
}

test("[LP15] who is killed halfway locks nobody out (leases H04, H05, H33, H37)", async () => {
  const stateDir = await makeSite();
  const parties = await Promise.all(["anna", "ben"].map((name) => Party.enter(stateDir, name)));
  const [anna] = parties;
  const before = await anna?.acquire({ region: "src/a/**" });
  for (const round of ["one", "two", "three"]) {
    const count = readEntries(stateDir).length;
    const kill = await beginWriting(stateDir);
    // Both wait for the lock, and are there when its owner is killed.
    const asked = parties.map((party) =>
      party.tell({ do: "acquire", options: { region: `${round}/**` } }),
    );
    expect(readEntries(stateDir)).toHaveLength(count);
    await kill();
    const said = await Promise.all(asked);
    // One has it, the other is told so: nobody was told that the lock is busy, nor let in twice.
    expect(said.map((one) => (one.ok ? "granted" : one.code)).toSorted()).toEqual([
      "conflict",
      "granted",
    ]);
    const audit = auditLeases(readEntries(stateDir));
    expect(audit.wrongs).toEqual([]);
    expect(readEntries(stateDir)).toHaveLength(count + 2);
  }
  granted((await anna?.tell({ do: "renew", lease: before?.id ?? "" })) ?? { ok: true });
});

test("[LP16] what names a host says nothing about who holds what (leases H47)", async () => {
  const stateDir = await makeSite();
  const anna = await Party.enter(stateDir, "anna", { STINT_HOST_ID: "rack-7" });
  const ben = await Party.enter(stateDir, "ben", { STINT_HOST_ID: "rack-8" });
  const { id, fence } = await anna.acquire({ region: "src/**" });
  const region = "src/a";
  expect(await ben.denied({ region })).toMatchObject({ code: "conflict", facts: { leaseId: id } });
  await anna.kill();
  // No process of a name is looked for, here or elsewhere: the lease has its time, alive or not.
  expect(await ben.denied({ region })).toMatchObject({ code: "conflict", facts: { leaseId: id } });
  const again = await Party.enter(stateDir, "anna");
  expect(await again.acquire({ region: "src/**" })).toMatchObject({ id, fence });
});
