import { createHash, randomBytes } from "node:crypto";
import type { Signer } from "../../ports/signer.ts";
import { base32 } from "../../runtime/base32.ts";

const secretBytes = 32;
const idBytes = 10;

/** A token that nobody has yet: its id, what its bearer shows, and the hash of that. */
export interface FreshToken {
  readonly token: string;
  readonly secret: string;
  readonly hash: string;
}

/** Makes a token: 256 random bits, written so that a scanner for leaked secrets knows it. */
export function freshToken(): FreshToken {
  const secret = `stint_${randomBytes(secretBytes).toString("base64url")}`;
  return { token: `t-${base32(randomBytes(idBytes))}`, secret, hash: hashSecret(secret) };
}

/**
 * The token that a command issues which may be asked for twice: the same for the same command of a
 * fleet, so that its secret can be shown again to who asked and lost the answer, and is kept
 * nowhere. Nobody works it out without the fleet's secret.
 */
export function tokenOfCommand(
  signer: Pick<Signer, "accessSecret">,
  { fleet, commandId }: { readonly fleet: string; readonly commandId: string },
): FreshToken {
  const bytes = signer.accessSecret(fleet, commandId);
  const secret = `stint_${Buffer.from(bytes).toString("base64url")}`;
  const hash = hashSecret(secret);
  // The hash is on record beside the id; what the id is made of says nothing more.
  const id = createHash("sha256").update(`stint/v1/token\n${hash}`).digest().subarray(0, idBytes);
  return { token: `t-${base32(id)}`, secret, hash };
}

/** What is kept of a secret: SHA-256, lowercase hex; too many bits to be guessed from that. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
