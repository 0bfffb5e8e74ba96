import type { CommandMap } from "../../kernel/command.ts";
import type { Head, Snapshot } from "../../ports/journal.ts";
import type { Signer } from "../../ports/signer.ts";
import { canonicalText } from "../canonical.ts";

/** A signed head: an entry's place and hash, and the hash of the state there, signed. */
export type SignedHead = CommandMap["journal.sign"];

/** Signs a head and the hash of the state at it. */
export function signHead(signer: Signer, head: Head, stateHash: string): SignedHead {
  const statement = {
    at_seq: head.seq,
    head_hash: head.hash,
    state_hash: stateHash,
    key_id: signer.key.key_id,
  };
  return { ...statement, signature: signer.sign(bytesOf(statement)) };
}

/** Whether a signed head bears a valid signature by this very key, `publicKey` in base64url. */
export function isHeadSignedBy(signer: Signer, signed: SignedHead): boolean {
  const { signature, ...statement } = signed;
  const { key_id: keyId, public_key: publicKey } = signer.key;
  return signed.key_id === keyId && signer.verify(bytesOf(statement), signature, publicKey);
}

/** Whether a signed head vouches for a snapshot: its place, its entry and its bytes. */
export function vouchesFor(signer: Signer, signed: SignedHead, snapshot: Snapshot): boolean {
  return (
    signed.at_seq === snapshot.seq &&
    signed.head_hash === snapshot.hash &&
    signed.state_hash === snapshot.stateHash &&
    isHeadSignedBy(signer, signed)
  );
}

function bytesOf({ at_seq, head_hash, state_hash, key_id }: Omit<SignedHead, "signature">): Buffer {
  return Buffer.from(canonicalText({ at_seq, head_hash, state_hash, key_id }));
}
