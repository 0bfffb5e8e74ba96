import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { needs } from "../support/require-all.ts";
import { readBootId } from "../../src/system/boot.ts";
import { hostId, type HostSources } from "../../src/system/host.ts";

const machineId = "0123456789abcdef0123456789abcdef";
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stint-host-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

function sources(content: string | undefined, env: HostSources["env"] = {}): HostSources {
  const machineIdFile = join(folder, "machine-id");
  if (content !== undefined) writeFileSync(machineIdFile, content);
  return { env, machineIdFile, hostname: "box" };
}

test("[SY9] STINT_HOST_ID names the host before anything else", () => {
  expect(hostId(sources(machineId, { STINT_HOST_ID: " rack-7 " }))).toBe("rack-7");
});

test.each([
  ["blank", "   "],
  ["257 characters", "x".repeat(257)],
])("[SY9] a STINT_HOST_ID of %s is refused with its length", (_, chosen) => {
  const got = chosen.trim().length;
  expect(() => hostId(sources(machineId, { STINT_HOST_ID: chosen }))).toThrow(
    new RangeError(`STINT_HOST_ID must have 1 to 256 characters, got ${got}`),
  );
});

test("[SY10] a host is known by its machine id, which itself is never shown", () => {
  const id = hostId(sources(`${machineId}\n`));
  expect(id).toMatch(/^machine-[0-9a-f]{32}$/);
  expect(id).not.toContain(machineId);
  expect(hostId(sources(`${machineId}\n`))).toBe(id);
  expect(hostId(sources(`${machineId.replace("0", "1")}\n`))).not.toBe(id);
});

test.each([
  ["no machine id", undefined],
  ["an empty machine id", ""],
  ["an uninitialised machine id", "uninitialized\n"],
])("[SY10] a host with %s is known by its name", (_, content) => {
  expect(hostId(sources(content))).toBe("host-box");
});

test("[SY11] all processes name the same boot", () => {
  needs(process.platform === "linux", "boot ids of other systems are not read from a file");
  const script = 'import { readBootId } from "./src/system/boot.ts"; console.log(readBootId());';
  const args = ["--input-type=module-typescript", "--eval", script];
  const theirs = execFileSync(process.execPath, args, { encoding: "utf8" }).trim();
  expect(theirs).toBe(readBootId());
  expect(theirs).toContain(readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim());
});
