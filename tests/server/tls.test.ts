// A listener that others reach: by TLS, with a certificate made for it.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stint } from "../support/cli.ts";
import { serveFolder, type ServedFolder } from "./serving-process.ts";

let served: ServedFolder;
let cert: string;
let key: string;

beforeEach(async () => {
  served = await serveFolder();
  [cert, key] = [join(served.folder, "cert.pem"), join(served.folder, "key.pem")];
  makeCertificate("/CN=localhost", { cert, key });
}, 120_000);

afterEach(() => served.end(), 120_000);

function makeCertificate(subject: string, to: { readonly cert: string; readonly key: string }) {
  const names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  const files = ["-keyout", to.key, "-out", to.cert, "-subj", subject];
  execFileSync("openssl", ["req", "-x509", ...kind, ...files, ...names], { stdio: "ignore" });
}

/** The status of an answer by TLS, under one version of it at most. */
function statusBy(port: number, maxVersion: "TLSv1.1" | "TLSv1.3"): Promise<number | undefined> {
  const ca = readFileSync(cert);
  const versions = { maxVersion, minVersion: "TLSv1" } as const;
  const so = { ca, port, host: "127.0.0.1", path: "/v1/fleet", ...versions };
  return new Promise((resolve, reject) => {
    request({ ...so, headers: { Authorization: `Bearer ${served.secret}` } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .once("error", reject)
      .end();
  });
}

test("[UP2] by TLS it listens where others reach it, and speaks nothing else there", async () => {
  const tls = ["--tls-cert", cert, "--tls-key", key, "--host", "0.0.0.0"];
  const { said } = await served.up(0, tls);
  expect(said.url).toMatch(/^https:/);
  await expect(statusBy(said.port, "TLSv1.3")).resolves.toBe(200);
  await expect(statusBy(said.port, "TLSv1.1")).rejects.toThrow(/protocol|version|alert/i);
  const plainly = fetch(`http://127.0.0.1:${said.port}/v1/fleet`);
  await expect(plainly).rejects.toThrow("fetch failed");
}, 120_000);

test("[UP2] the command line reads the roll by TLS, once it trusts who signed", async () => {
  const { said } = await served.up(0, ["--tls-cert", cert, "--tls-key", key]);
  const url = `https://127.0.0.1:${said.port}`;
  const tokenFile = join(served.folder, "operator.token");
  writeFileSync(tokenFile, `${served.secret}\n`, { mode: 0o600 });
  const roll = ["roll", "--json", "--url", url, "--token-file", tokenFile];
  const stranger = await stint(roll, { cwd: served.folder });
  expect(stranger.exit).not.toBe(0);
  const friend = await stint(roll, { cwd: served.folder, env: { NODE_EXTRA_CA_CERTS: cert } });
  expect(friend.exit).toBe(0);
  expect(friend.stdout).toContain('"stint"');
}, 120_000);

test("[UP2] a certificate that is none, or not of this key, is named", async () => {
  const other = { cert: join(served.folder, "c2.pem"), key: join(served.folder, "k2.pem") };
  makeCertificate("/CN=other", other);
  writeFileSync(join(served.folder, "none.pem"), "no certificate\n");
  const call = async (certFile: string, keyFile: string) => {
    const args = ["up", "--json", "--port", "0", "--tls-cert", certFile, "--tls-key", keyFile];
    const said = await stint(args, { cwd: served.folder });
    return { exit: said.exit, error: (said.json() as { readonly error: unknown }).error };
  };
  const bad = { exit: 2, error: { problems: [{ path: "--tls-cert" }] } };
  expect(await call("none.pem", key)).toMatchObject(bad);
  expect(await call(cert, other.key)).toMatchObject(bad);
  expect(await call("missing.pem", key)).toMatchObject(bad);
}, 120_000);
