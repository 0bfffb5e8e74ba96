import { runtimePlaces, workerPlaces } from "../../../../src/system/places.ts";
import type { Called } from "../../../support/cli.ts";
import { pause } from "../../../support/scenario.ts";
import { makeGround } from "../../ground.ts";
import type { Scenarios } from "../scenario.ts";
import { mounting, stage } from "../stage.ts";

/** What is answered for the processes of this host: supervisors, workers, sandboxes. */
export const HOST: Scenarios = {
  not_authorised: {
    play: askAsWorker,
    says: /^fleet\.pause must come from operator, got worker w-[a-z2-7]{16}$/,
  },
  sandbox_failed: {
    play: async () => (await makeGround()).call(["run", "--json", "--", "/no/such/program"]),
    says: /^the program "\/no\/such\/program" must be there, it or .* was not found$/,
  },
  sandbox_unavailable: {
    play: async () => {
      const host = await stage();
      const supervise = ["supervise", "--dir", host.stateDir, "--rung", "cgroup", "--json"];
      // A host without bubblewrap: where its program lies there is none that can be run.
      const hide =
        "for file in $(which -a bwrap); do mount --bind /dev/null $file || exit; done; true";
      return host.call(supervise, { within: mounting(hide) });
    },
    says: /^the rung "cgroup" must work here, got: .*there is no program bwrap; install bubblewrap/,
  },
  supervisor_unreachable: {
    play: async () => {
      const left = await stage();
      return left.asks(pause, { env: { STINT_WORKER_TOKEN_FILE: `${left.dir}/no/token` } });
    },
    says: /^the token file that STINT_WORKER_TOKEN_FILE names must .* ENOENT.*network is none/,
  },
};

/** Gives an operator's command with the token of a worker that runs. */
async function askAsWorker(): Promise<Called> {
  const ground = await makeGround();
  const id = await ground.spawn("a");
  const places = runtimePlaces(ground.stateDir, ground.env);
  const env = { STINT_WORKER_TOKEN_FILE: workerPlaces(places, id).token };
  const stdin = JSON.stringify({ kind: "fleet.pause", data: { reason: "drill" } });
  return ground.call(["submit", "-", "--json"], { env, stdin });
}
