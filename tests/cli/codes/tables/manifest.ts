import { admit, register } from "../../../support/scenario.ts";
import type { Called } from "../../../support/cli.ts";
import type { Manifest } from "../../../../src/kernel/worker/manifest.ts";
import type { Scenarios } from "../scenario.ts";
import { stage, type Stage } from "../stage.ts";

const HOUR_MS = 3_600_000;

/** Presents worker a's manifest, sealed by the fleet's own key, changed in some fields. */
function present(on: Stage, changes: Partial<Manifest> = {}): Promise<Called> {
  const envelope = on.signer.seal({ ...on.play.manifestOf("a"), ...changes });
  return on.submits({ kind: "worker.register", data: { envelope } });
}

/** What a registration is refused with for its manifest. */
export const MANIFEST: Scenarios = {
  manifest_invalid: {
    play: async () => (await stage()).submits({ kind: "worker.register", data: { envelope: {} } }),
    says: /must be valid, it is not a manifest in a DSSE envelope$/,
  },
  manifest_foreign: {
    play: async () => {
      // As if another fleet had been begun with the same secret.
      return present(await (await stage()).given(admit("a")), { fleet: "f-another" });
    },
    says: /must be for f-plays, got f-another$/,
  },
  manifest_expired: {
    play: async () => present(await (await stage({ agoMs: HOUR_MS })).given(admit("a"))),
    says: /must be presented before \d{13}, it is \d{13}$/,
  },
  manifest_used: {
    play: async () => present(await (await stage()).given(admit("a"), register("a"))),
    says: /must be unused, its worker is running already$/,
  },
};
