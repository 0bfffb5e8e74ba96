import type { Holder, OutsideHolder } from "../../kernel/lease/lease.ts";
import { base32 } from "../../runtime/base32.ts";
import { sha256Of } from "../../runtime/canonical.ts";
import type { Keyring, Seat } from "../seat.ts";
import type { NamedHolder } from "./line.ts";

/** As many random bits as a command id has; 26 letters. */
const nonceBytes = 16;

/** Whom a text means: a worker, or an outside party by its name. */
export type Who = { readonly worker: string } | { readonly name: string };

/** What tokens are derived with. */
interface Deriving extends Pick<Seat, "fleet"> {
  readonly keys: Pick<Keyring, "signer">;
}

/** Makes a holder of whom is meant; an outside one with a fresh token. */
export function holderOf(seat: Deriving & Pick<Seat, "random">, who: Who): NamedHolder {
  if ("worker" in who) return { holder: who, token: null };
  const nonce = base32(seat.random.bytes(nonceBytes));
  const token = deriveToken(seat, nonce);
  return { holder: { name: who.name, nonce, token_hash: sha256Of(token) }, token };
}

/**
 * The token of an outside party's lease, worked out again; null when the fleet has another secret
 * by now.
 */
export function tokenOf(seat: Deriving, { nonce, token_hash }: OutsideHolder): string | null {
  const token = deriveToken(seat, nonce);
  return sha256Of(token) === token_hash ? token : null;
}

/** The token of any holder's lease; a worker has none. */
export function tokenFor(seat: Deriving, holder: Holder): string | null {
  return "worker" in holder ? null : tokenOf(seat, holder);
}

function deriveToken({ fleet, keys }: Deriving, nonce: string): string {
  return base32(keys.signer.leaseToken(fleet, nonce));
}
