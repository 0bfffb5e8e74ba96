// A person at a terminal, played by `script`, which runs a program on a pseudo-terminal.
import { spawn } from "node:child_process";
import { beforeAll, expect, test } from "vitest";
import { builtBin } from "../../support/cli.ts";
import { needsProgram } from "../../support/require-all.ts";
import { makeSite, recordLife } from "../recorded.ts";

beforeAll(async () => void (await builtBin()), 120_000);

test("[WI9] at a terminal long work is seen to go on, and nothing of that is left", async () => {
  needsProgram("script");
  const site = makeSite();
  await recordLife(site);
  const words = [process.execPath, await builtBin(), "journal", "replay"];
  const child = spawn("script", ["-qec", words.map((word) => `'${word}'`).join(" "), "/dev/null"], {
    cwd: site.dir,
    env: { ...process.env, ...site.env, TERM: "xterm" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let shown = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (shown += text));
  await new Promise((resolve) => child.once("close", resolve));
  const [bar = "", blank = "", ...text] = shown.split("\r").slice(1);
  expect(bar).toMatch(/^deciding \[#{24}\] 100 % of \d+$/);
  expect(blank).toBe(" ".repeat(bar.length));
  expect(text.join("\r")).toMatch(/^Entries 1 to \d+ folded;/);
});
