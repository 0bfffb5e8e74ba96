import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { asStorageFault } from "../system/storage-fault.ts";

const TOKEN_BYTES = 32;

/** How a token is written: base64url of its bytes. */
const TOKEN_FORM = /^[A-Za-z0-9_-]{43}$/;

/** A fresh token: 256 random bits. */
export function makeToken(): string {
  return randomBytes(TOKEN_BYTES).toString("base64url");
}

/**
 * Answers whether a text is a token, in a time that says nothing about either: hashes of one length
 * are compared, every byte of them.
 */
export function tokenCheck(token: string): (given: string) => boolean {
  const wanted = digest(token);
  return (given) => timingSafeEqual(digest(given), wanted);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/**
 * The token in a file, or a fresh one written to it with mode 0600: where there is none, where it
 * is no token, and where others may have read it. Throws `Fault` `storage_*`.
 */
export function ensureTokenFile(file: string): string {
  const kept = readToken(file);
  if (kept !== undefined) return kept;
  const token = makeToken();
  writeTokenFile(file, token);
  return token;
}

/** Writes a token to a file, whole or not at all, mode 0600. Throws `Fault` `storage_*`. */
export function writeTokenFile(file: string, token: string): void {
  const draft = `${file}.${process.pid}.new`;
  try {
    rmSync(draft, { force: true });
    writeFileSync(draft, `${token}\n`, { mode: 0o600, flag: "wx" });
    renameSync(draft, file);
  } catch (error) {
    throw asStorageFault(error, `writing ${file}`);
  }
}

function readToken(file: string): string | undefined {
  try {
    const { mode, uid } = statSync(file);
    const token = readFileSync(file, "utf8").trim();
    const isPrivate = (mode & 0o077) === 0 && uid === (process.getuid?.() ?? 0);
    return isPrivate && TOKEN_FORM.test(token) ? token : undefined;
  } catch {
    // None yet.
    return undefined;
  }
}
