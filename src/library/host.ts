import type { ProcessIdentity } from "../kernel/command.ts";

/** This host and this process, as far as the library needs to know them. */
export interface Host {
  /** The id of this host. */
  readonly id: string;
  /** The user id that this process runs under, where there is one. */
  readonly uid?: number;
  /** The name of that user, where it has one. */
  readonly user?: string;
  /** This process, as others can find it again. */
  readonly process: ProcessIdentity;
  /**
   * Whether that very process runs, and no later bearer of its pid; `unknown` when it is of
   * another host or this host has no process table to look at.
   */
  look(identity: ProcessIdentity): "alive" | "gone" | "unknown";
}
