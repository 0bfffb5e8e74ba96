import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { needs } from "../support/require-all.ts";
import { Child } from "../journal/fixtures/child.ts";

const STORY = new URL("fixtures/full-disk.ts", import.meta.url);

/** Runs a command in a mount namespace of its own, as root of it: what it mounts ends with it. */
const IN_NAMESPACE = ["unshare", "--map-root-user", "--mount", "--"];

function mayMount(folder: string): boolean {
  const [command = "", ...args] = IN_NAMESPACE;
  return spawnSync(command, [...args, "mount", "-t", "tmpfs", "none", folder]).status === 0;
}

test("[SV22] a kill on a full disk ends all, and is journaled when there is room", async () => {
  const folder = mkdtempSync(join(tmpdir(), "stint-sv-disk-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const disk = join(folder, "disk");
  mkdirSync(disk);
  needs(mayMount(disk), "a small tmpfs cannot be mounted: no mount namespaces here");

  const mount = `mount -t tmpfs -o size=4m none ${disk} && exec "$@"`;
  const within = [...IN_NAMESPACE, "sh", "-c", mount, "sh"];
  const story = new Child(STORY, [disk], within);
  expect(await story.end()).toBe(0);
  expect(JSON.parse(await story.output)).toEqual({
    submitted: "storage_full",
    alive: 0,
    journaledWhileFull: 0,
    killed: 1,
    stopped: 3,
    exitCode: 0,
  });
}, 60_000);
