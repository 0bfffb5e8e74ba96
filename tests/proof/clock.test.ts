// Leases while somebody sets the clocks of the host: what a lease is worth is counted by the time
// that has passed, whatever a wall clock shows.
import { expect, test } from "vitest";
import type { Command } from "../../src/kernel/command.ts";
import type { Answer, Loop } from "../../src/runtime/loop.ts";
import { granted, OPERATOR, refused, Rig, TICK } from "../runtime/rig.ts";

const TTL_MS = 60_000;
const HOUR_MS = 3_600_000;
const HASH = "ab".repeat(32);

function acquire(name: string, region = "src/**"): Command<"lease.acquire"> {
  const holder = { name, nonce: "a".repeat(26), token_hash: HASH };
  return { kind: "lease.acquire", data: { region: [region], holder, ttl_ms: TTL_MS } };
}

async function codeOf(asked: Promise<Answer>): Promise<string> {
  const answer = await asked.catch((error: unknown) => error as { readonly code: string });
  if ("code" in answer) return answer.code;
  return answer.ok ? "granted" : answer.refusal.code;
}

/** A fleet in which anna holds all below `src` for a minute from now on. */
async function begin(): Promise<{ readonly rig: Rig; readonly loop: Loop }> {
  const rig = new Rig();
  const loop = await rig.found();
  await granted(loop.submit(acquire("anna"), OPERATOR));
  return { rig, loop };
}

test.each([1, 4_999, -1, -4_999])(
  "[LP10] a wall clock that is set by %i ms neither lengthens nor shortens a lease (leases H21)",
  async (stepMs) => {
    const { rig, loop } = await begin();
    rig.clock.stepWall(stepMs);
    rig.clock.advance(TTL_MS - 1);
    const conflict = await refused(loop.submit(acquire("ben"), OPERATOR));
    expect(conflict.code).toBe("conflict");
    rig.clock.advance(1);
    const { entries } = await granted(loop.submit(acquire("ben"), OPERATOR));
    expect(entries.map(({ kind }) => kind)).toEqual(["lease.lapsed", "lease.granted"]);
    await loop.close();
  },
);

test.each([301_000, -301_000, HOUR_MS, -HOUR_MS, 30 * 24 * HOUR_MS])(
  "[LP10] a wall clock that is set by %i ms stops the fleet, and frees nothing (leases H21)",
  async (stepMs) => {
    const { rig, loop } = await begin();
    const { seq } = loop.head();
    rig.clock.stepWall(stepMs);
    for (const asked of [acquire("ben"), acquire("anna", "docs/**"), TICK])
      expect(await codeOf(loop.submit(asked, OPERATOR))).toBe("clock_skew");
    expect(loop.head().seq).toBe(seq);
    // Set right again, it ends when it would have.
    rig.clock.stepWall(-stepMs);
    rig.clock.advance(TTL_MS - 1);
    expect(await codeOf(loop.submit(acquire("ben"), OPERATOR))).toBe("conflict");
    rig.clock.advance(1);
    expect(await codeOf(loop.submit(acquire("ben"), OPERATOR))).toBe("granted");
    await loop.close();
  },
);

test("[LP10] while the machine sleeps a lease runs out as it does awake (leases H21)", async () => {
  const { rig, loop } = await begin();
  rig.clock.suspend(TTL_MS - 1);
  expect(await codeOf(loop.submit(acquire("ben"), OPERATOR))).toBe("conflict");
  rig.clock.suspend(1);
  expect(await codeOf(loop.submit(acquire("ben"), OPERATOR))).toBe("granted");
  await loop.close();
});

test("[LP10] a boot with a clock that is behind lengthens no lease (leases H21)", async () => {
  const { rig, loop } = await begin();
  rig.clock.advance(TTL_MS / 2);
  await granted(loop.submit(acquire("carl", "docs/**"), OPERATOR));
  // A battery that has lost a second: journal time does not go back, and goes on from there.
  rig.clock.reboot("boot-2", -1_000);
  expect(await codeOf(loop.submit(acquire("ben"), OPERATOR))).toBe("conflict");
  rig.clock.advance(TTL_MS / 2);
  expect(await codeOf(loop.submit(acquire("ben"), OPERATOR))).toBe("granted");
  await loop.close();
});

test("[LP10] nobody can say when a lease begins (leases H21)", async () => {
  const { rig, loop } = await begin();
  const { data } = acquire("ben", "docs/**");
  const dated = { ...data, granted_at_ms: rig.clock.wallMs + HOUR_MS, at_ms: 1 };
  const { entries } = await granted(loop.submit({ kind: "lease.acquire", data: dated }, OPERATOR));
  expect(entries).toMatchObject([{ data: { expires_at_ms: loop.state().at_ms + TTL_MS } }]);
  await loop.close();
});
