// Servers and supervisors that are killed under their clients: nothing is lost or doubled.
import { afterEach, beforeEach, expect, test } from "vitest";
import { StintClient } from "../../src/client.ts";
import { stint, type Called } from "../support/cli.ts";
import { ended, serveFolder, type ServedFolder } from "./serving-process.ts";

/** As much of an answer as is read here. */
interface Told {
  readonly data: {
    readonly tokens: readonly { readonly token: string; readonly role: string }[];
  };
  readonly error: {
    readonly code: string;
    readonly problems: readonly { readonly path: string }[];
  };
}

function told(called: Called): Told {
  return called.json() as Told;
}

let served: ServedFolder;
let folder: string;
let secret: string;

beforeEach(async () => {
  served = await serveFolder();
  ({ folder, secret } = served);
}, 120_000);

afterEach(() => served.end(), 120_000);

test.each([5, 50])(
  "[EV8] %i clients go on without loss or duplicate when server and supervisor are killed",
  async (count) => {
    const { said, child } = await served.up();
    const client = new StintClient({ url: said.url, token: secret });
    const stop = new AbortController();
    const seen = Array.from({ length: count }, (): number[] => []);
    const opened = Array.from({ length: count }, () => 0);
    const following = seen.map(async (seqs, index) => {
      for await (const event of client.events({ after: 0, signal: stop.signal })) {
        if (event.kind === "open") opened[index] = (opened[index] ?? 0) + 1;
        if (event.kind === "entry") seqs.push(event.entry.seq);
      }
    });
    const write = async (reason: string): Promise<void> => {
      await client.command("halt.request", { handle: "ada", reason });
    };
    await expect.poll(() => opened.every((times) => times > 0), { timeout: 60_000 }).toBe(true);
    for (let turn = 0; turn < 5; turn += 1) await write(`before ${turn}`);
    child.kill("SIGKILL");
    await ended(child);
    // Others write on while nobody serves.
    const halt = ["halt", "ada", "--reason", "meanwhile"];
    const meanwhile = await stint([...halt, "--json"], { cwd: folder });
    const { supervisor } = await (async () => {
      const second = await served.up(said.port);
      expect(second.said.port).toBe(said.port);
      return client.supervisor();
    })();
    for (let turn = 0; turn < 5; turn += 1) await write(`after ${turn}`);
    if (supervisor !== null) process.kill(supervisor.pid, "SIGKILL");
    for (let turn = 0; turn < 5; turn += 1) await write(`later ${turn}`);
    const { seq } = await client.fleet();
    const last = (): boolean => seen.every((seqs) => (seqs.at(-1) ?? 0) >= seq);
    await expect.poll(last, { timeout: 90_000 }).toBe(true);
    stop.abort();
    await Promise.all(following);
    const all = Array.from({ length: seq }, (_, index) => index + 1);
    for (const seqs of seen) expect(seqs.slice(0, seq)).toEqual(all);
    expect(opened.every((times) => times >= 2)).toBe(true);
    expect(meanwhile.exit).toBe(0);
  },
  240_000,
);

test("[UP1] it says that it serves, starts a supervisor, ends by SIGTERM with 0", async () => {
  const { said, child } = await served.up();
  expect(said).toMatchObject({ kind: "serving", pid: child.pid, login_url: null });
  const client = new StintClient({ url: said.url, token: secret });
  await expect
    .poll(async () => (await client.supervisor()).supervisor, { timeout: 60_000 })
    .not.toBeNull();
  const events = client.events({ after: 0 });
  await events.next();
  child.kill("SIGTERM");
  await ended(child);
  expect([child.exitCode, child.signalCode]).toEqual([0, null]);
  await events.return();
}, 120_000);

test("[UP2] where others reach it it wants TLS or a word, and a free port", async () => {
  const open = await stint(["up", "--host", "0.0.0.0", "--json"], { cwd: folder });
  expect([open.exit, told(open).error.code]).toEqual([2, "usage"]);
  const half = await stint(["up", "--tls-cert", "x.pem", "--json"], { cwd: folder });
  expect(half.exit).toBe(2);
  const { said } = await served.up();
  const taken = await stint(["up", "--port", String(said.port), "--json"], { cwd: folder });
  expect([taken.exit, told(taken).error.problems[0]?.path]).toEqual([2, "--port"]);
}, 120_000);

test("[UP3] tokens are issued once, listed without secrets, and revoked", async () => {
  const listed = await stint(["token", "list", "--json"], { cwd: folder });
  const [token] = told(listed).data.tokens;
  expect(token).toMatchObject({ role: "operator" });
  expect(listed.stdout).not.toMatch(/stint_|hash/);
  const revoked = await stint(["token", "revoke", token?.token ?? "", "--json"], { cwd: folder });
  expect(revoked.exit).toBe(0);
  const none = await stint(["token", "list"], { cwd: folder });
  expect(none.stdout).toBe("no token is live\n");
  const unknown = await stint(["token", "revoke", "t-aaaaaaaaaaaaaaaa", "--json"], { cwd: folder });
  expect(unknown.exit).toBe(4);
}, 120_000);
