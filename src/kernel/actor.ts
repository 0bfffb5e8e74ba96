/**
 * Who asked, as every entry names it. `operator` holds the fleet's own credential, `worker` acts
 * for one instance, `supervisor` observes and carries out, `system` is the loop itself.
 */
export interface Actor {
  readonly kind: "operator" | "worker" | "supervisor" | "system";
  /** The worker's instance id, or an operator's chosen name. */
  readonly id?: string;
  /** The door it came through. */
  readonly via: "library" | "socket" | "cli" | "http" | "runtime";
  readonly host?: string;
  readonly uid?: number;
  readonly user?: string;
  /** Names of the fields above that nothing has authenticated. */
  readonly claimed?: readonly string[];
}

/** The key under which an actor's refusals are counted: its kind and id, never claimed texts. */
export function actorKey(actor: Actor): string {
  return actor.id === undefined ? actor.kind : `${actor.kind}:${actor.id}`;
}
