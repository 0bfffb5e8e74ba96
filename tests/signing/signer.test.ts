import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Manifest } from "../../src/kernel/worker/manifest.ts";
import type { Envelope } from "../../src/ports/signer.ts";
import { openSigner } from "../../src/signing/signer.ts";
import { envelopeOver, KEY_ID, MANIFEST, payloadOf, PAYLOAD_TYPE, SECRET } from "./fixtures.ts";

const signer = openSigner(SECRET);
const sealed = signer.seal(MANIFEST);
const text = payloadOf(sealed);

const verdictOf = (presented: unknown): string => signer.check(presented).verdict;
const withField = (field: string, value: unknown): Manifest => ({ ...MANIFEST, [field]: value });
const canonicalWith = (field: string, value: unknown): string =>
  JSON.stringify(
    Object.fromEntries(Object.entries({ ...MANIFEST, [field]: value }).toSorted(byKey)),
    (_, part: unknown) =>
      isPlain(part) ? Object.fromEntries(Object.entries(part).toSorted(byKey)) : part,
  );
const byKey = ([one]: [string, unknown], [other]: [string, unknown]): number =>
  one < other ? -1 : 1;
const isPlain = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

test("[SG1] what was sealed is valid and says what was sealed", () => {
  expect(signer.check(sealed)).toEqual({ verdict: "valid", manifest: MANIFEST });
  expect(signer.check(JSON.parse(JSON.stringify(sealed)))).toEqual({
    verdict: "valid",
    manifest: MANIFEST,
  });
});

test("[SG1] the same manifest gives the same envelope, whatever the order of its keys", () => {
  const reversed = Object.fromEntries(Object.entries(MANIFEST).toReversed());
  expect(signer.seal(reversed as unknown as Manifest)).toEqual(sealed);
  expect(openSigner(SECRET).seal(MANIFEST)).toEqual(sealed);
});

test("[SG2] the envelope is DSSE v1 over the canonical bytes, by HMAC-SHA256", () => {
  expect(canonicalWith("depth", 0)).toBe(text);
  expect(sealed).toEqual(envelopeOver(text));
});

test("[SG2] the bytes of a given manifest under a given secret never change", () => {
  expect({ key: signer.key, sig: sealed.signatures[0]?.sig }).toEqual({
    key: { key_id: "6b4f913dc654f86c", public_key: "f8ekpnd7ZDojmNnchryp9ak3Wdit1wl4_GqAb-J_v_k" },
    sig: "qDF4rnrIUEAXvRLcfVsWwC5gzrxzcLDeBBDe9fjTm9c=",
  });
});

test("[SG3] no manifest verifies with another's signature (replication E1)", () => {
  const pairs: readonly (readonly [Manifest, Manifest])[] = [
    [withField("instance", "a:b"), withField("instance", "a")],
    [
      { ...MANIFEST, instance: "a:b", parent: "c" },
      { ...MANIFEST, instance: "a", parent: "b:c" },
    ],
    [withField("parent", null), withField("parent", "null")],
    [withField("state", { 1: "x" }), withField("state", { "1 ": "x" })],
    [withField("state", { a: [1, 2] }), withField("state", { a: "1,2" })],
    [withField("state", { a: 1 }), withField("state", { a: "1" })],
    [withField("state", { a: true }), withField("state", { a: "true" })],
    [withField("regions", ["a", "b"]), withField("regions", ["a,b"])],
    [withField("name", "é"), withField("name", "é".normalize("NFD"))],
  ];
  for (const [one, other] of pairs) {
    const [a, b] = [signer.seal(one), signer.seal(other)];
    expect(verdictOf({ ...a, signatures: b.signatures })).toBe("signature");
    expect(verdictOf({ ...b, signatures: a.signatures })).toBe("signature");
  }
});

test("[SG3] a signature is over the type of the payload too (replication E1)", () => {
  const forged = envelopeOver(text, { payloadType: `${PAYLOAD_TYPE}x` });
  expect(verdictOf({ ...forged, payloadType: PAYLOAD_TYPE })).toBe("signature");
});

const portable: readonly (readonly [string, string])[] = [
  ["a fraction of zero", text.replace('"depth":0', '"depth":0.0')],
  ["an exponent", text.replace('"b":2', '"b":2e0')],
  ["negative zero", text.replace('"depth":0', '"depth":-0')],
  ["NaN", text.replace('"b":2', '"b":NaN')],
  ["Infinity", text.replace('"b":2', '"b":1e999')],
  ["a space", text.replace('"depth":0', '"depth": 0')],
  ["a trailing line feed", `${text}\n`],
  ["a byte order mark", `\u{feff}${text}`],
  ["an escaped letter", text.replace('"name":"root"', '"name":"\\u0072oot"')],
  ["a lone surrogate", text.replace('"name":"root"', '"name":"\\ud800"')],
  ["keys in another order", text.replace('"a":1.5,"b":2', '"b":2,"a":1.5')],
  ["a key twice", text.replace('"depth":0', '"depth":3,"depth":0')],
  ["a cut end", text.slice(0, -1)],
  ["nothing", ""],
  ["null", "null"],
  ["an array", `[${text}]`],
  ["a number", "1"],
];

test.each(portable)("[SG4] a signed payload with %s is no manifest (replication E2)", (_, bad) => {
  expect(bad).not.toBe(text);
  expect(signer.check(envelopeOver(bad))).toEqual({ verdict: "form", manifest: null });
});

test("[SG4] a signed payload that is not UTF-8 is no manifest (replication E2)", () => {
  const bytes = Buffer.from(text.replace('"name":"root"', '"name":"r\u{1}ot"'), "latin1");
  bytes[bytes.indexOf(1)] = 0xff;
  expect(verdictOf(envelopeOver(bytes))).toBe("form");
});

test("[SG4] equal values have one signature, however they were spelled (replication E2)", () => {
  const spelled = JSON.parse(text.replace('"b":2', '"b":2.000e0')) as Manifest;
  expect(signer.seal(spelled)).toEqual(sealed);
});

const throwing = new Proxy(
  {},
  {
    ownKeys(): never {
      throw new Error("trap");
    },
  },
);
const [signature] = sealed.signatures;
const withSignature = (change: Readonly<Record<string, unknown>>): unknown => ({
  ...sealed,
  signatures: [{ ...signature, ...change }],
});

const plusAndSlash = envelopeOver(Buffer.from([0xfb, 0xff, 0xfe])).payload;

const malformed: readonly (readonly [string, unknown])[] = [
  ["null", null],
  ["undefined", undefined],
  ["a number", 17],
  ["NaN", Number.NaN],
  ["a text", JSON.stringify(sealed)],
  ["bytes", new Uint8Array(64)],
  ["an array", [sealed]],
  ["a function", () => sealed],
  ["an empty object", {}],
  ["a proxy that throws", throwing],
  [
    "a getter that throws",
    Object.defineProperty({ ...sealed }, "payload", { get: () => throwing }),
  ],
  ["another field", { ...sealed, extra: 1 }],
  ["a symbol field", { ...sealed, [Symbol("s")]: 1 }],
  ["inherited fields", Object.create(sealed)],
  ["no signature", { ...sealed, signatures: [] }],
  ["two signatures", { ...sealed, signatures: [signature, signature] }],
  ["a null signature", { ...sealed, signatures: [null] }],
  ["signatures that are no array", { ...sealed, signatures: { 0: signature, length: 1 } }],
  ["a field more in the signature", withSignature({ alg: "none" })],
  ["a null sig", withSignature({ sig: null })],
  ["a number as sig", withSignature({ sig: 7 })],
  ["bytes as sig", withSignature({ sig: Buffer.from(String(signature?.sig), "base64") })],
  ["a sig that is not ASCII", withSignature({ sig: "ü".repeat(44) })],
  ["a short sig", withSignature({ sig: "AAAA" })],
  ["an empty sig", withSignature({ sig: "" })],
  ["a huge sig", withSignature({ sig: "A".repeat(10_000_000) })],
  ["a huge payload", { ...sealed, payload: "A".repeat(10_000_000) }],
  ["a huge key id", withSignature({ keyid: "a".repeat(10_000_000) })],
  ["a null key id", withSignature({ keyid: null })],
  ["a lone surrogate as key id", withSignature({ keyid: "\ud800" })],
  ["a hex signature", withSignature({ sig: hexOf(signature?.sig).toLowerCase() })],
  ["an upper-case hex signature", withSignature({ sig: hexOf(signature?.sig).toUpperCase() })],
  ["a sig without its padding", withSignature({ sig: signature?.sig.replace("=", "") })],
  ["a sig with a line feed", withSignature({ sig: `${signature?.sig}\n` })],
  ["a payload in base64url", { ...sealed, payload: toUrl(plusAndSlash) }],
  ["a payload with loose last bits", { ...sealed, payload: "QQJ=" }],
  ["a payload that is not base64", { ...sealed, payload: "%%%%" }],
  ["another payload type", envelopeOver(text, { payloadType: "application/json" })],
  ["a payload type of capitals", envelopeOver(text, { payloadType: PAYLOAD_TYPE.toUpperCase() })],
];

function hexOf(base64: string | undefined): string {
  return Buffer.from(base64 ?? "", "base64").toString("hex");
}

function toUrl(base64: string): string {
  return base64.replaceAll("+", "-").replaceAll("/", "_");
}

test.each(malformed)("[SG5] %s is malformed, not an error (replication E3)", (_, presented) => {
  expect(signer.check(presented)).toEqual({ verdict: "form", manifest: null });
});

test("[SG5] whatever is presented gets a verdict and never a valid one (replication E3)", () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true }), (presented) => {
      expect(signer.check(presented).manifest).toBeNull();
    }),
  );
});

test("[SG6] an envelope changed in any one place is not valid", () => {
  const flat = JSON.stringify(sealed);
  fc.assert(
    fc.property(fc.nat(flat.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, by) => {
      fc.pre(flat[at] !== by);
      const changed = flat.slice(0, at) + by + flat.slice(at + 1);
      fc.pre(isJson(changed));
      expect(signer.check(JSON.parse(changed)).manifest).toBeNull();
    }),
    { numRuns: 2_000 },
  );
});

function isJson(candidate: string): boolean {
  try {
    JSON.parse(candidate);
    return true;
  } catch {
    return false;
  }
}

const bound: readonly (readonly [keyof Manifest, unknown])[] = [
  ["fleet", "f-another"],
  ["instance", "w-another"],
  ["name", "other"],
  ["parent", "w-parent"],
  ["root", "w-parent"],
  ["depth", 1],
  ["state", {}],
  ["budget", { cpu_milli: 64_000 }],
  ["regions", ["**"]],
  ["network", "open"],
  ["issued_at_ms", 0],
  ["register_by_ms", Number.MAX_SAFE_INTEGER],
  ["expires_at_ms", Number.MAX_SAFE_INTEGER],
  ["contract_hash", "cd".repeat(32)],
  ["key_id", "0".repeat(16)],
];

test.each(bound)("[SG7] a manifest is bound to its %s (replication E4)", (field, value) => {
  const changed = canonicalWith(field, value);
  expect(changed).not.toBe(text);
  const payload = Buffer.from(changed).toString("base64");
  expect(signer.check({ ...sealed, payload })).toEqual({ verdict: "signature", manifest: null });
});

test("[SG7] every field of a manifest is bound by its signature (replication E4)", () => {
  const fields = Object.keys(MANIFEST).filter((field) => field !== "version");
  expect(bound.map(([field]) => field)).toEqual(fields);
});

test("[SG8] a manifest under another secret is of another key (replication E4)", () => {
  const other = openSigner(`${SECRET}!`);
  expect(other.key.key_id).not.toBe(KEY_ID);
  const theirs = other.seal({ ...MANIFEST, key_id: other.key.key_id });
  expect(signer.check(theirs)).toEqual({ verdict: "key", manifest: null });
  expect(other.check(sealed)).toEqual({ verdict: "key", manifest: null });
});

test("[SG8] another secret behind our key id is a wrong signature (replication E4)", () => {
  expect(verdictOf(envelopeOver(text, { secret: `${SECRET}!` }))).toBe("signature");
});

test("[SG8] a payload that names another key than its signature is of another key", () => {
  expect(verdictOf(envelopeOver(canonicalWith("key_id", "0".repeat(16))))).toBe("key");
});

test("[SG9] a later version is told from a malformed manifest", () => {
  const payloadType = PAYLOAD_TYPE.replace("v1", "v2");
  expect(verdictOf(envelopeOver(text, { payloadType }))).toBe("version");
  expect(verdictOf(envelopeOver(canonicalWith("version", 2)))).toBe("version");
  expect(verdictOf(envelopeOver('{"new_field":true,"version":2}'))).toBe("version");
  expect(verdictOf(envelopeOver(canonicalWith("version", "1")))).toBe("form");
  expect(verdictOf(envelopeOver(canonicalWith("version", -1)))).toBe("form");
});

const wrongFields: readonly (readonly [string, unknown])[] = [
  ["unknown", 1],
  ["fleet", ""],
  ["instance", 7],
  ["parent", ""],
  ["parent", "p".repeat(1_025)],
  ["depth", -7],
  ["depth", 0.5],
  ["depth", false],
  ["depth", 65],
  ["state", null],
  ["state", []],
  ["budget", { cpu_milli: -1 }],
  ["budget", { cpu_milli: 0.5 }],
  ["budget", { cpus: 1 }],
  ["budget", { units: { tokens: "many" } }],
  ["regions", "src/**"],
  ["regions", [null]],
  ["network", "lan"],
  ["issued_at_ms", "2026-01-01T00:00:00Z"],
  ["expires_at_ms", 2 ** 53],
  ["contract_hash", "AB".repeat(32)],
  ["key_id", null],
];

test.each(
  wrongFields.map(([field, value]) => [field, JSON.stringify(value).slice(0, 40), value] as const),
)("[SG10] a signed manifest whose %s is %s is no manifest", (field, _, value) => {
  expect(verdictOf(envelopeOver(canonicalWith(field, value)))).toBe("form");
});

test("[SG10] a signed manifest that lacks a field is no manifest", () => {
  for (const field of Object.keys(MANIFEST)) {
    expect(verdictOf(envelopeOver(canonicalWith(field, undefined)))).toBe("form");
  }
});

test("[SG11] changing a state after sealing changes no envelope (replication A14)", () => {
  const state = { task: "analyse", parts: ["a"] };
  const envelope: Envelope = signer.seal({ ...MANIFEST, state });
  const before = JSON.stringify(envelope);
  state.task = "something else";
  state.parts.push("b");
  expect(JSON.stringify(envelope)).toBe(before);
  const checked = signer.check(envelope);
  expect(checked.manifest?.state).toEqual({ task: "analyse", parts: ["a"] });
});

test("[SG11] two checks share nothing that one holder could change for the other", () => {
  const [one, other] = [signer.check(sealed), signer.check(sealed)];
  Object.assign(one.manifest?.state as object, { task: "something else" });
  expect(other.manifest).toEqual(MANIFEST);
});

test("[SG12] only a manifest that names the key in use is sealed", () => {
  expect(() => signer.seal({ ...MANIFEST, key_id: "0".repeat(16) })).toThrow("key in use");
  expect(() => signer.seal(withField("depth", Number.NaN))).toThrow("NaN");
  expect(() => signer.seal(withField("extra", 1))).toThrow("form of version 1");
});

test("[SG21] the secret of an access token hangs on the same, and is no lease's token", () => {
  const secrets = [SECRET, `${SECRET}!`].flatMap((secret) =>
    ["f-one", "f-two"].flatMap((fleet) =>
      ["c-1", "c-2"].map((nonce) => hex(openSigner(secret).accessSecret(fleet, nonce))),
    ),
  );
  expect(new Set(secrets).size).toBe(8);
  expect(hex(openSigner(SECRET).accessSecret("f-one", "c-1"))).toBe(secrets[0]);
  expect(hex(openSigner(SECRET).leaseToken("f-one", "c-1"))).not.toBe(secrets[0]);
});

test("[SG21] a lease's token hangs on secret, fleet and nonce, and on each of them alone", () => {
  const nonces = ["a".repeat(26), "b".repeat(26)];
  const tokens = [SECRET, `${SECRET}!`].flatMap((secret) =>
    ["f-one", "f-two"].flatMap((fleet) =>
      nonces.map((nonce) => hex(openSigner(secret).leaseToken(fleet, nonce))),
    ),
  );
  expect(new Set(tokens).size).toBe(8);
  for (const token of tokens) expect(token).toMatch(/^[0-9a-f]{64}$/);
  // The same for ever: whoever was given one can show it to a later version.
  expect(hex(openSigner(SECRET).leaseToken("f-one", nonces[0] ?? ""))).toBe(tokens[0]);
  expect(tokens[0]).toBe(TOKEN);
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** Worked out by other means: HKDF-SHA256 and HMAC-SHA256 of Python's own library. */
const TOKEN = "ee81a08b1a4608bbedd4eb2d80e02e9cb47e527aecb90b30ba8937dbad4bf626";
