import { randomBytes } from "node:crypto";
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { Fault } from "../ports/fault.ts";
import { codeOf } from "../ports/error-code.ts";
import { generateSecret, secretBytes } from "./secret.ts";

/** A secret file is one line; anything larger is another file. */
const fileBytesMax = 8_192;

/**
 * Reads the secret in a file, without the whitespace around it.
 *
 * Throws `Fault` `secret_missing` when there is no file, when others than its owner may read or
 * write it, or when what it holds is no secret; `storage_failed` when it cannot be read.
 */
export function readSecretFile(file: string): string {
  const text = readPrivately(file).trim();
  try {
    secretBytes(text);
  } catch (error) {
    const message = `${file} must hold a secret: ${(error as Error).message}`;
    throw new Fault("secret_missing", message, { cause: error });
  }
  return text;
}

/** Reads the secret in a file as {@link readSecretFile} does; undefined where none is kept. */
export function findSecretFile(file: string): string | undefined {
  try {
    return readSecretFile(file);
  } catch (error) {
    if (error instanceof Fault && error.code === "secret_missing") return undefined;
    throw error;
  }
}

/**
 * Reads the secret in a file, creating the file with a fresh one when it is missing.
 *
 * Of several processes that create it at once one wins, and all answer the winner's secret. A file
 * is never seen half written, has mode 0600 from its first moment, and is on disk, together with
 * its name, when this returns. The folder must exist and must support hard links.
 * Throws as {@link readSecretFile}, and `storage_full`.
 */
export function ensureSecretFile(file: string): string {
  try {
    return readSecretFile(file);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
  createSecretFile(file);
  return readSecretFile(file);
}

/** Whether a fault of {@link readSecretFile} is about a missing file, not about a bad one. */
function isAbsent(error: unknown): boolean {
  return error instanceof Fault && codeOf(error.cause) === "ENOENT";
}

function createSecretFile(file: string): void {
  const draft = `${file}.${process.pid}.${randomBytes(8).toString("hex")}.new`;
  try {
    writeDurably(draft, `${generateSecret()}\n`);
    try {
      // A link, not a rename: it fails where a rename would replace what another process made.
      linkSync(draft, file);
    } catch (error) {
      // EEXIST: another process was first, and its secret is the one.
      if (codeOf(error) !== "EEXIST") throw error;
    } finally {
      unlinkSync(draft);
    }
    syncFolder(dirname(file));
  } catch (error) {
    throw fileFault(error, `creating ${file}`);
  }
}

function writeDurably(file: string, text: string): void {
  const descriptor = openSync(file, "wx", 0o600);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } catch (error) {
    unlinkSync(file);
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function readPrivately(file: string): string {
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch (error) {
    throw fileFault(error, `reading ${file}`);
  }
  try {
    demandPrivate(file, descriptor);
    return readFileSync(descriptor, "utf8");
  } catch (error) {
    throw fileFault(error, `reading ${file}`);
  } finally {
    closeSync(descriptor);
  }
}

/** Checks the opened file, not its name: a name may stand for another file a moment later. */
function demandPrivate(file: string, descriptor: number): void {
  const { mode, size } = fstatSync(descriptor);
  // Windows has no such bits: there the folder's own protection must do.
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    const got = (mode & 0o777).toString(8).padStart(4, "0");
    throw new Fault("secret_missing", `${file} must have mode 0600, got ${got}`);
  }
  if (size > fileBytesMax) {
    const message = `${file} must have at most ${fileBytesMax} bytes, got ${size}`;
    throw new Fault("secret_missing", message);
  }
}

function fileFault(error: unknown, doing: string): unknown {
  const code = codeOf(error);
  if (error instanceof Fault || code === "") return error;
  const message = `the secret must be kept while ${doing}, got ${code}`;
  if (code === "ENOENT") return new Fault("secret_missing", message, { cause: error });
  if (code === "ENOSPC") return new Fault("storage_full", message, { cause: error });
  return new Fault("storage_failed", message, { cause: error });
}
