import { InputError } from "../../protocol/input.ts";
import { demand, type Seat, type Secret } from "../seat.ts";
import { openSigner } from "./opening.ts";

/**
 * Rotates the fleet's key to that of another secret, which this handle uses from then on.
 *
 * Manifests of the old key that were not taken up yet become invalid; receipts and signed heads of
 * the old key stay verifiable by it. Other handles and processes have to be opened with the new
 * secret before they can start workers again.
 */
export async function rotateSecret(seat: Seat, secret: Secret): Promise<void> {
  if (seat.keys.isKept) {
    const expected = "a fleet that was opened with a secret of its own";
    const got = "one whose secret is the file beside its journal";
    throw new InputError("usage", [{ path: "secret", expected, got }]);
  }
  const signer = openSigner(seat, secret);
  await demand(seat, { kind: "key.rotate", data: { key: signer.key } }, seat.owner);
  seat.keys.use({ secret, signer });
}
