import { once } from "node:events";
import { beforeAll, expect, test, vi } from "vitest";
import { builtBin } from "../support/cli.ts";
import { acquire, makeGround, type Ground } from "./ground.ts";

beforeAll(async () => void (await builtBin()), 120_000);

/** Waits until so many wait, and answers who. */
async function waited(ground: Ground, count: number): Promise<readonly Waiter[]> {
  for (;;) {
    const { places } = (await ground.done(["lease", "wait-list", "--json"])).json().data;
    if (places.length === count) return places;
  }
}

interface Waiter {
  readonly place: string;
  readonly holder: string;
  readonly behind: readonly { readonly by: string; readonly holder: string }[];
}

const asking = (holder: string, ...more: readonly string[]): readonly string[] => [
  "lease",
  "acquire",
  "--region",
  "src/**",
  "--holder",
  holder,
  ...more,
];

test("[GV45] with --wait a lease is had in its turn; a supervisor is started for it", async () => {
  const ground = await makeGround();
  const held = await acquire(ground, "ann", "--region", "src/**");
  const bob = ground.call(asking("bob", "--wait", "10m", "--json"));
  const [waiter] = await waited(ground, 1);
  expect(waiter).toMatchObject({ holder: "bob", behind: [{ by: held.lease_id, holder: "ann" }] });
  await vi.waitFor(() => expect(ground.supervisorPid()).toBeGreaterThan(0), 30_000);
  const table = (await ground.done(["lease", "wait-list"])).stdout;
  expect(table).toContain(`${held.lease_id} of ann`);
  // Who does not wait does not pass who does.
  await ground.done(["lease", "release", held.lease_id, "--token", held.token]);
  const answer = (await bob).json();
  expect(answer.data).toMatchObject({ holder: "bob", is_new: true, place: waiter?.place });
  expect(answer.data.token).toMatch(/^[a-z2-7]{52}$/);
  const renewing = ["lease", "renew", answer.data.lease_id, "--token", answer.data.token];
  await ground.done(renewing);
  expect((await ground.done(["lease", "wait-list"])).stdout).toBe("nobody waits\n");
});

test("[GV45] a wait ends refused by its time, in a circle, and by an operator", async () => {
  const ground = await makeGround();
  await acquire(ground, "ann", "--region", "src/**");
  const late = await ground.call(asking("bob", "--wait", "200ms", "--json"));
  expect([late.exit, late.json().refusal.code]).toEqual([3, "wait_timeout"]);
  await acquire(ground, "bob", "--region", "docs/**");
  const words = ["--region", "docs/a", "--holder", "ann", "--wait", "10m"];
  const ann = ground.call(["lease", "acquire", ...words]);
  const [waiter] = await waited(ground, 1);
  const circle = await ground.call(asking("bob", "--wait", "10m"));
  expect(circle.exit).toBe(3);
  expect(circle.stderr).toMatch(/wait_deadlock.*"bob" waits for "ann".*"ann" waits for "bob"/s);
  const why = ["--reason", "the release goes first"];
  await ground.done(["lease", "wait-cancel", waiter?.place ?? "", ...why]);
  const ended = await ann;
  expect(ended.exit).toBe(3);
  expect(ended.stderr).toContain("an operator has ended the waiting: the release goes first");
  expect(ended.stderr).toMatch(/stint: waits in q-\d+, 10m at the most/);
  expect((await ground.call(asking("bob", "--wait", "0s"))).stderr).toContain('"1ms" to "24h"');
  expect((await ground.call(["lease", "wait-cancel", "l-1", ...why])).exit).toBe(2);
});

test("[GV45] Ctrl-C leaves the queue; a command under a lease waits for it, too", async () => {
  const ground = await makeGround();
  const held = await acquire(ground, "ann", "--region", "src/**");
  const bob = await ground.begin(asking("bob", "--wait", "10m"));
  const gone = once(bob, "close");
  await waited(ground, 1);
  const words = ["--holder", "carl", "--wait", "10m", "--", "echo", "had its turn"];
  const carl = ground.call(["lease", "with", "--region", "src/**", ...words]);
  await waited(ground, 2);
  bob.kill("SIGINT");
  expect(await gone).toEqual([130, null]);
  expect(await waited(ground, 1)).toMatchObject([{ holder: "carl" }]);
  await ground.done(["lease", "release", held.lease_id, "--token", held.token]);
  expect(await carl).toMatchObject({ exit: 0, stdout: "had its turn\n" });
});
