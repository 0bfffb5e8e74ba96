import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensureSecretFile, readSecretFile } from "../../src/signing/secret-file.ts";
import { openSigner } from "../../src/signing/signer.ts";

let folder = "";
let file = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stint-secret-"));
  file = join(folder, "secret");
});

afterEach(() => rmSync(folder, { recursive: true }));

test("[SG19] a missing secret file is created once, for its owner alone", () => {
  const secret = ensureSecretFile(file);
  expect(openSigner(secret).key.key_id).toMatch(/^[0-9a-f]{16}$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(ensureSecretFile(file)).toBe(secret);
  expect(readSecretFile(file)).toBe(secret);
  expect(readdirSync(folder)).toEqual(["secret"]);
});

test("[SG19] processes that create it at once all hold the same secret", async () => {
  const creator = join(import.meta.dirname, "secret-creator.ts");
  const children = Array.from({ length: 6 }, () =>
    spawn(process.execPath, [creator, file], { stdio: ["pipe", "pipe", "inherit"] }),
  );
  const exits = children.map((child) => once(child, "exit"));
  await Promise.all(children.map((child) => once(child.stdout, "data")));
  const answers = children.map((child) => once(child.stdout, "data"));
  for (const child of children) child.stdin.write("go\n");
  const secrets = (await Promise.all(answers)).map(([line]) => String(line).trim());
  await Promise.all(exits);
  expect(new Set(secrets)).toEqual(new Set([readSecretFile(file)]));
  expect(readdirSync(folder)).toEqual(["secret"]);
});

test("[SG20] a missing secret is a named fault", () => {
  expect(() => readSecretFile(file)).toThrow(expect.objectContaining({ code: "secret_missing" }));
});

test.each([0o644, 0o640, 0o604, 0o622])("[SG20] a secret file of mode %o is refused", (mode) => {
  ensureSecretFile(file);
  chmodSync(file, mode);
  const message = `${file} must have mode 0600, got 0${mode.toString(8)}`;
  expect(() => readSecretFile(file)).toThrow(message);
  expect(() => ensureSecretFile(file)).toThrow(message);
});

test.each(["", "\n", "too short"])(
  "[SG20] a file that holds %j is refused, not replaced",
  (text) => {
    writeFileSync(file, text, { mode: 0o600 });
    const fault: unknown = expect.objectContaining({ code: "secret_missing" });
    expect(() => readSecretFile(file)).toThrow(fault);
    expect(() => ensureSecretFile(file)).toThrow(fault);
  },
);

test("[SG20] a file far too large is refused without being read as a secret", () => {
  writeFileSync(file, "x".repeat(8_193), { mode: 0o600 });
  expect(() => readSecretFile(file)).toThrow("at most 8192 bytes, got 8193");
});

test("[SG20] a folder that does not exist is a fault, not an error of the system", () => {
  const missing = join(folder, "missing", "secret");
  expect(() => ensureSecretFile(missing)).toThrow(
    expect.objectContaining({ code: "secret_missing" }),
  );
});
