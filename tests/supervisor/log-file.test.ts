import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openLogFile } from "../../src/supervisor/log-file.ts";

test("[SV26] a supervisor's log is private JSON lines and never outgrows its bound", () => {
  const folder = mkdtempSync(join(tmpdir(), "stint-log-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "supervisor.log");
  const bytesMax = 8_192;
  const log = openLogFile(file, { bytesMax });
  for (let n = 0; n < 500; n += 1) log.warn("something happened", { n, error: new Error("why") });
  log.close();
  log.info("nobody hears this", {});

  expect(statSync(file).mode & 0o777).toBe(0o600);
  const longest = 2_048;
  expect(statSync(file).size + statSync(`${file}.1`).size).toBeLessThan(bytesMax + longest);
  const lines = [`${file}.1`, file].flatMap((path) =>
    readFileSync(path, "utf8").trim().split("\n"),
  );
  const parsed = lines.map((line) => JSON.parse(line) as { readonly n: number; msg: string });
  expect(parsed.at(-1)).toMatchObject({ n: 499, msg: "something happened" });
  expect(JSON.stringify(parsed.at(-1))).toContain("Error: why");
  // In their order, with nothing missing between the two files.
  expect(parsed.map(({ n }) => n)).toEqual(parsed.map((_, index) => 500 - parsed.length + index));
});

test("[SV26] no name stands twice in a line", () => {
  const folder = mkdtempSync(join(tmpdir(), "stint-log-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "supervisor.log");
  const log = openLogFile(file);
  log.info("serving", { pid: process.pid, fleet: "f-1" });
  log.info("seen", { pid: 1, msg: "theirs" });
  log.close();
  const lines = readFileSync(file, "utf8").trim().split("\n");
  for (const line of lines) expect(line.match(/"(pid|msg)":/g)).toHaveLength(2);
  const [serving, seen] = lines.map((line) => JSON.parse(line) as unknown);
  expect(serving).toMatchObject({ pid: process.pid, fleet: "f-1", msg: "serving" });
  expect(serving).not.toHaveProperty("fact_pid");
  expect(seen).toMatchObject({ pid: process.pid, fact_pid: 1, msg: "seen", fact_msg: "theirs" });
});
