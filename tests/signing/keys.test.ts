import { createHash } from "node:crypto";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { expect, test } from "vitest";
import { openSigner } from "../../src/signing/signer.ts";
import { generateSecret } from "../../src/signing/secret.ts";

const secret = "correct horse battery staple";
const signer = openSigner(secret);
const head = new TextEncoder().encode('{"at_seq":7}');

test("[SG13] a head's signature is verified by the public key alone", () => {
  const signature = signer.sign(head);
  const other = openSigner(generateSecret());
  expect(other.verify(head, signature, signer.key.public_key)).toBe(true);
  expect(other.verify(head, signature, other.key.public_key)).toBe(false);
  expect(signer.verify(new TextEncoder().encode("{}"), signature, signer.key.public_key)).toBe(
    false,
  );
});

test("[SG13] the key id is the beginning of SHA-256 over the public key", () => {
  const raw = Buffer.from(signer.key.public_key, "base64url");
  expect(raw.length).toBe(32);
  expect(signer.key.key_id).toBe(createHash("sha256").update(raw).digest("hex").slice(0, 16));
});

test("[SG14] the keys for manifests and heads are derived under names of their own", async () => {
  const named = (name: string): Uint8Array =>
    hkdf(sha256, utf8ToBytes(secret), undefined, utf8ToBytes(name), 32);
  const seed = named("stint/v1/head/ed25519");
  expect(seed).not.toEqual(named("stint/v1/manifest/hmac-sha256"));
  // WebCrypto makes the same public key of that seed: x of the JWK.
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex");
  const pkcs8 = Buffer.concat([prefix, seed]);
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
  const { x } = await crypto.subtle.exportKey("jwk", key);
  expect(signer.key.public_key).toBe(x);
});

const signature = signer.sign(head);
const publicKey = signer.key.public_key;

test.each([
  ["an empty signature", "", publicKey],
  ["a short signature", signature.slice(1), publicKey],
  ["padding", `${signature}==`, publicKey],
  ["a line feed", `${signature}\n`, publicKey],
  ["standard base64", Buffer.alloc(64, 0xff).toString("base64"), publicKey],
  ["an empty key", signature, ""],
  ["a key of 31 bytes", signature, Buffer.alloc(31, 1).toString("base64url")],
  ["a key that is no point", signature, Buffer.alloc(32, 0xff).toString("base64url")],
  ["null", null as unknown as string, publicKey],
  ["a number as key", signature, 7 as unknown as string],
])("[SG15] %s does not verify, and is no error (replication E3)", (_, sig, key) => {
  expect(signer.verify(head, sig, key)).toBe(false);
});

test.each([
  ["nothing", "", 0],
  ["blanks", " \t\n ".repeat(10), 0],
  ["15 bytes", "a".repeat(15), 15],
  ["15 bytes among blanks", `   ${"a".repeat(15)}\n`, 15],
  ["7 characters of 14 bytes", "ü".repeat(7), 14],
  ["more than 4096 bytes", "a".repeat(4_097), 4_097],
])("[SG16] a secret of %s is refused with its length (replication E4)", (_, bad, length) => {
  expect(() => openSigner(bad)).toThrow(
    new RangeError(
      "secret must have 16 to 4096 bytes of UTF-8 without the whitespace around it, " +
        `got ${length}`,
    ),
  );
});

test("[SG16] a refused secret is not shown (replication E4)", () => {
  expect(() => openSigner("hunter2")).toThrow(/^(?!.*hunter2)/);
});

test.each([0, 31, 4_097])("[SG16] a secret of %i raw bytes is refused", (length) => {
  const message = `secret must have 32 to 4096 bytes, got ${length}`;
  expect(() => openSigner(new Uint8Array(length))).toThrow(new RangeError(message));
});

test.each([[null], [undefined], [17], [{}], [[]]])("[SG16] %j is no secret", (bad) => {
  expect(() => openSigner(bad as unknown as string)).toThrow(TypeError);
});

test("[SG16] a text that is not well-formed is no secret", () => {
  expect(() => openSigner(`\ud800${"a".repeat(20)}`)).toThrow("lone surrogates");
});

test("[SG16] 16 bytes of text and 32 raw bytes are enough", () => {
  expect(openSigner("ü".repeat(8)).key.key_id).toMatch(/^[0-9a-f]{16}$/);
  expect(openSigner(new Uint8Array(32).fill(1)).key.key_id).toMatch(/^[0-9a-f]{16}$/);
});

test("[SG17] whitespace around a secret is not part of it", () => {
  expect(openSigner(`\n  ${secret}\t\n`).key).toEqual(signer.key);
});

test("[SG17] changing the bytes of a secret afterwards changes no key", () => {
  const bytes = new Uint8Array(32).fill(1);
  const opened = openSigner(bytes);
  const before = opened.sign(head);
  bytes.fill(2);
  expect(opened.sign(head)).toBe(before);
});

test("[SG18] generated secrets are long enough and all different", () => {
  const secrets = Array.from({ length: 100 }, () => generateSecret());
  expect(new Set(secrets).size).toBe(100);
  for (const one of secrets) expect(Buffer.from(one, "base64url").length).toBe(32);
});
