import { describe, expect, test } from "vitest";
import { stint } from "../support/cli.ts";

/** Calls outside of every fleet: regions need none. */
async function answer(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout } = await stint(["region", ...args, "--json"]);
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe("stint region", () => {
  test("[CL28] overlap says whether two regions share a resource, and shows one", async () => {
    const shared = await answer("overlap", "src/*/a.ts", "docs/**", "--with", "src/api/**");
    expect(shared).toMatchObject({ ok: true, data: { overlaps: true, witness: "src/api/a.ts" } });
    const apart = await answer("overlap", "src/**", "--exclude", "src/gen/", "--with", "src/gen/x");
    expect(apart).toMatchObject({ ok: true, data: { overlaps: false, witness: null } });
    const cased = await answer("overlap", "SRC/a", "--with", "src/A", "--fold-case");
    expect(cased).toMatchObject({ data: { overlaps: true, witness: "src/a" } });
    const said = await stint(["region", "overlap", "a*", "--with", "*b"]);
    expect(said).toMatchObject({ exit: 0, stdout: "overlap: ab\n" });
  });

  test("[CL28] contains says whether a region lies inside, and shows what does not", async () => {
    expect(await answer("contains", "src/api/**", "--inside", "src/**")).toMatchObject({
      ok: true,
      data: { inside: true, witness: null, region: ["src/api/**"], other: ["src/**"] },
    });
    const outside = await answer("contains", "src/**", "--inside", "src/**", "!src/gen/**");
    expect(outside).toMatchObject({ data: { inside: false } });
  });

  test.each([
    ["usage", ["overlap", "a//b", "--with", "a"], 'PATTERNS "a//b" must be a region with no empty'],
    ["usage", ["overlap", "a", "--with", "!a"], "--with must be a region with at least one"],
    ["usage", ["contains", "a", "--exclude", "*", "--inside", "a"], "a region that has something"],
    ["limit_exceeded", ["overlap", "{a,b}".repeat(11), "--with", "a"], "at most 256 alternatives"],
  ])("[CL28] what is no region is said, as %s: %j", async (code, args, message) => {
    const said = await answer(...args);
    expect(said).toMatchObject({
      ok: false,
      error: { code, message: expect.stringContaining(message) },
    });
  });
});
