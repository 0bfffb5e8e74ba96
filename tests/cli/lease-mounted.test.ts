// What people and programs are told of leases whose ground a sandbox has mounted. The mounts are
// of a play: what lets go of them is tried in tests/supervisor/fence.
import { beforeAll, describe, expect, test } from "vitest";
import { acquire, leaseOf, release, TTL_MS } from "../support/lease-scenario.ts";
import { builtBin } from "../support/cli.ts";
import {
  after,
  ask,
  exited,
  idOf,
  start,
  SUPERVISOR,
  tick,
  type Ask,
  type Step,
} from "../support/scenario.ts";
import { DEFAULT_CONTRACT } from "../../src/kernel/fleet/contract.ts";
import { stage, type Stage } from "./codes/stage.ts";

beforeAll(async () => void (await builtBin()), 120_000);

const ENFORCED = {
  sandbox: { ...DEFAULT_CONTRACT.sandbox, leases: "enforced", widen: "directory" },
} as const;

const mount: Ask = (play) => {
  const data = { lease: leaseOf(play, "@a").id, worker: idOf("a") };
  return ask("lease.mount", data, { by: SUPERVISOR })(play);
};

const fence = (on: Stage, lease: string): Promise<Stage> => {
  const data = { lease, worker: idOf("a"), waited_ms: 5, was_frozen: false };
  // Calls have written by their own clock meanwhile.
  const now = after(Math.max(0, Date.now() - on.play.atMs));
  return on.given(now, ask("lease.fence", data, { by: SUPERVISOR }));
};

/** A worker `a` with a lease of `src/**`, mounted or not, and the lease's id. */
async function scene(isMounted = true): Promise<{ readonly on: Stage; readonly id: string }> {
  const on = await stage({ contract: ENFORCED });
  await on.given(start("a"), acquire("@a", "src/**"), isMounted ? [mount] : []);
  return { on, id: leaseOf(on.play, "@a").id };
}

/** What `stint explain` says of an entry, on one line. */
const explained = async (on: Stage, seq: number): Promise<string> =>
  (await on.call(["explain", String(seq)])).stdout.replaceAll("\n", " ");

const words = (text: string): readonly string[] => text.split(" ");

describe("[GV43] who revokes what is mounted is told what follows for its worker", () => {
  const follows =
    `${idOf("a")} (a) has src/** mounted: it is frozen until nothing of it can write there, and ` +
    "ended if it has files open there after 5s (revoke_grace)";

  test("before it is agreed to, and in the answer", async () => {
    const { on, id } = await scene();
    const revoke = words(`lease revoke ${id} --reason drill`);
    const unsaid = await on.call(revoke);
    expect(unsaid).toMatchObject({ exit: 2 });
    expect(unsaid.stderr).toContain(follows);
    const said = await on.call([...revoke, "--yes"]);
    expect(said.stdout).toContain(`revoked: ${id}\n${follows}`);
    expect(said.stdout).toContain(`\`stint lease show ${id}\``);
  });

  test("a program by the ids of those leases, and nobody of what is not mounted", async () => {
    const { on, id } = await scene();
    const told = await on.call(words(`lease revoke ${id} --reason drill --yes --json`));
    expect(told.json().data).toMatchObject({ revoked: [id], lapsing: [id] });
    const bare = await scene(false);
    const said = await bare.on.call(words(`lease revoke ${bare.id} --reason drill --yes`));
    expect(said.stdout).toBe(`revoked: ${bare.id}\n`);
  });
});

describe("[GV44] a lease that has ended is lapsing while a sandbox has its ground", () => {
  const waits = `lapsing: mounted until ${idOf("a")} (a) is fenced or has ended`;
  const ends: readonly (readonly [string, readonly Step[]])[] = [
    ["released", [release("@a")]],
    ["over", [after(TTL_MS), tick]],
  ];

  test.each(ends)("when it was %s, until it is fenced", async (_, end) => {
    const on = await stage({ contract: ENFORCED, agoMs: TTL_MS + 1_000 });
    await on.given(start("a"), acquire("@a", "src/**"), mount, end);
    const id = `l-${on.play.entries.find(({ kind }) => kind === "lease.granted")?.seq}`;
    const shown = await on.call(words(`lease show ${id}`));
    expect(shown.stdout).toContain(waits);
    expect(shown.stdout).toMatch(/^mounted +src\/\*\*$/m);
    const row = new RegExp(`^${id} +${idOf("a")} \\(a\\) +lapsing +exclusive +src`, "m");
    expect((await on.call(words("lease ls"))).stdout).toMatch(row);
    expect((await on.call(words("lease ls --all"))).stdout).toMatch(row);
    const listed = (await on.call(words("lease ls --json"))).json().data;
    expect(listed).toMatchObject({ leases: [], lapsing: [{ lease_id: id, is_live: false }] });

    await fence(on, id);
    expect((await on.call(words(`lease show ${id}`))).stdout).not.toContain("lapsing");
    expect((await on.call(words("lease ls"))).stdout).toContain("no lease is held");
  });
});

describe("[GM45] what was widened is said to be", () => {
  const asked = (region: string, ...more: readonly string[]): readonly string[] => [
    ...words(`lease acquire --holder ${idOf("b")}`),
    "--region",
    region,
    ...more,
  ];

  test("where it is granted", async () => {
    const on = await stage({ contract: ENFORCED });
    await on.given(start("b"));
    expect((await on.call(asked("src/api/main.js"))).stdout).toMatch(
      /^widened to whole folders, .*asked for: src\/api\/main\.js\nl-\d+ granted: src\/api\/\*\*/,
    );
    const told = await on.call(asked("docs/a.md", "--json"));
    expect(told.json().data).toMatchObject({ region: ["docs/**"], widened_from: ["docs/a.md"] });
    const whole = await on.call(asked("etc/**", "--json"));
    expect(whole.json().data).toMatchObject({ region: ["etc/**"], widened_from: null });
  });

  test("where it is refused, also when the refusal is explained", async () => {
    const { on } = await scene();
    await on.given(start("b"));
    const refused = await on.call(asked("README.md", "--json"));
    const { refusal, seq } = refused.json();
    expect(refusal).toMatchObject({ code: "conflict", facts: { widened_from: ["README.md"] } });
    expect(refusal.message).toContain('; "README.md" was widened to "**", ');
    expect(await explained(on, seq)).toContain('; "README.md" was widened to "**", ');
  });
});

test("[GM46] a refusal for what is mounted still is explained by that, not by a time", async () => {
  const { on, id } = await scene();
  await on.given(start("b"), release("@a"));
  const refused = await on.call(
    words(`lease acquire --holder ${idOf("b")} --region src/x/** --json`),
  );
  expect(refused.json().refusal).toMatchObject({ facts: { lapsing: true, lease_id: id } });
  expect(await explained(on, refused.json().seq)).toContain(
    `It would have passed once what ${idOf("a")} ("a") had mounted for ${id} had been taken ` +
      "from it (lease.fenced), or with its end",
  );
});

test("[LS56] a conflict with what a worker has left says that it has ended", async () => {
  const on = await stage();
  await on.given(start("a"), start("b"), acquire("@a", "src/**"));
  const ask = words("lease acquire --region src/x --holder bob --json");
  expect((await on.call(ask)).json().refusal.facts).not.toHaveProperty("orphaned");
  await on.given(exited("a", { exit_code: 1 }));
  const { refusal } = (await on.call(ask)).json();
  expect(refusal).toMatchObject({ code: "conflict", facts: { orphaned: true } });
  expect(refusal.message).toContain(`; ${idOf("a")} has ended, and nobody releases it`);
});
