import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startStint, stint, type Called } from "../support/cli.ts";

let folder: string;
let runtime: string;
let server: Awaited<ReturnType<typeof startStint>>;
let url: string;

const env = (): Record<string, string> => ({
  XDG_RUNTIME_DIR: runtime,
  XDG_STATE_HOME: join(folder, "state-home"),
});

function call(args: readonly string[], more: Record<string, string> = {}): Promise<Called> {
  return stint(args, { cwd: folder, env: { ...env(), ...more } });
}

/** A file with the secret of a token that was issued for it. */
async function tokenFile(name: string, ...role: readonly string[]): Promise<string> {
  const issued = await call(["token", "issue", "--role", ...role, "--json"]);
  const { secret } = issued.json().data as { readonly secret: string };
  const file = join(folder, name);
  writeFileSync(file, `${secret}\n`, { mode: 0o600 });
  return file;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "stint-remote-"));
  runtime = mkdtempSync(join(tmpdir(), "st-"));
  await call(["init"]);
  const up = ["up", "--port", "0", "--login", "none", "--json"];
  server = await startStint(up, { cwd: folder, env: env() });
  const [line] = (await once(createInterface({ input: server.stdout }), "line")) as [string];
  ({ url } = JSON.parse(line) as { readonly url: string });
}, 120_000);

afterAll(async () => {
  const ended = once(server, "exit");
  server.kill("SIGTERM");
  await ended;
  await call(["down"]);
  for (const path of [folder, runtime]) rmSync(path, { recursive: true, force: true });
}, 120_000);

test("[RW25] a service beats over HTTP by its own token, and as nobody else", async () => {
  const file = await tokenFile("api", "service", "--service", "api");
  const there = { STINT_URL: url, STINT_TOKEN_FILE: file };
  const once1 = ["beat", "--name", "api", "--instance", "far", "--once", "--json"];
  const beat = await stint(once1, { cwd: tmpdir(), env: { ...env(), ...there } });
  expect(beat.json()).toMatchObject({ ok: true, data: { beat_count: 1 } });
  const other = await call(["beat", "--name", "db", "--instance", "far", "--once"], there);
  expect(other.exit).toBe(2);
  expect(other.stderr).toContain("api");
  const roll = await call(["roll", "--json"]);
  expect(roll.json().data.sections.unexpected).toMatchObject([
    { name: "api", instances: [{ instance: "far", status: "ok" }] },
  ]);
}, 120_000);

test("[RW25] the roll of a server is shown where there is no fleet", async () => {
  const file = await tokenFile("viewer", "viewer");
  const args = ["roll", "--url", url, "--token-file", file, "--json"];
  const roll = await stint(args, { cwd: tmpdir(), env: env() });
  expect(roll.json().data.sections.expected).toMatchObject([{ name: "stint", status: "ok" }]);
}, 120_000);

test("[RW25] no server, a wrong token and half an address are told as what they are", async () => {
  const file = join(folder, "wrong");
  writeFileSync(file, "stint_wrong");
  const at = (...args: readonly string[]): Promise<Called> => call(["roll", ...args]);
  const nobody = await at("--url", "http://127.0.0.1:9", "--token-file", file);
  expect(nobody.exit).toBe(5);
  expect(nobody.stderr).toContain("a server must answer at http://127.0.0.1:9");
  const refused = await at("--url", url, "--token-file", file);
  expect(refused.exit).toBe(2);
  expect(refused.stderr).toContain("the token");
  expect((await at("--url", url)).stderr).toContain("STINT_TOKEN_FILE");
  expect((await at("--token-file", file)).stderr).toContain("--url");
  expect((await at("--url", "ftp://x", "--token-file", file)).exit).toBe(2);
}, 120_000);
