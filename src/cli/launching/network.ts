import { NETWORKS, type Network } from "../../kernel/worker/manifest.ts";
import type { Launch } from "./launch.ts";

/**
 * The network that a worker is asked for: what was typed, for the rules to decide about; else the
 * verb's default, or the parent's where that is narrower, so that a default is never refused.
 */
export function networkBelow(launch: Launch, parent: Network | undefined): Network {
  const { network, networkDefault } = launch;
  if (network !== undefined) return network;
  const isNarrower =
    parent !== undefined && NETWORKS.indexOf(parent) < NETWORKS.indexOf(networkDefault);
  return isNarrower ? parent : networkDefault;
}
