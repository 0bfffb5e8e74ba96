import { Fault } from "../../ports/fault.ts";

/** Where the text of an entry stands in its segment, in bytes. */
export interface Pointer {
  readonly offset: number;
  readonly sizeBytes: number;
}

// What stands in the place of a text that is in the archive: `@OFFSET+BYTES`. No text of an entry
// begins so, for each is a JSON object.
const POINTER = /^@(\d{1,15})\+(\d{1,9})$/;

/** Whether what is stored for an entry says where its text is, instead of being it. */
export function isPointer(text: string): boolean {
  return text.startsWith("@");
}

/** The stored form of a pointer. */
export function encodePointer({ offset, sizeBytes }: Pointer): string {
  return `@${offset}+${sizeBytes}`;
}

/** Reads a pointer; `seq` is whose it is. Throws `Fault` `journal_corrupt` when it is none. */
export function decodePointer(text: string, seq: number): Pointer {
  const [, offset, sizeBytes] = POINTER.exec(text) ?? [];
  if (offset !== undefined && sizeBytes !== undefined) {
    return { offset: Number(offset), sizeBytes: Number(sizeBytes) };
  }
  const message = `entry ${seq} must have its text, or its place in the archive, got ${text}`;
  throw new Fault("journal_corrupt", message);
}
