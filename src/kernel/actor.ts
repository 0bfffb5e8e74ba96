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

/** The key of an actor: its kind and id, never claimed texts. */
export function actorKey(actor: Actor): string {
  return actor.id === undefined ? actor.kind : `${actor.kind}:${actor.id}`;
}

/**
 * The outside party in whose name an operator asks for a lease: many ask by one operator, and what
 * one of them is refused is counted for it alone. Undefined for whatever else is asked.
 */
export function partyOf(
  { kind }: Actor,
  command: { readonly kind: string; readonly data: object },
): string | undefined {
  if (kind !== "operator" || command.kind !== "lease.acquire" || !("holder" in command.data))
    return undefined;
  const { holder } = command.data;
  const isNamed = typeof holder === "object" && holder !== null && "name" in holder;
  return isNamed && typeof holder.name === "string" ? holder.name : undefined;
}

/** The key under which refusals are counted: that of an outside party, or of who asked. */
export function refusalKey(actor: Actor, party: string | undefined): string {
  return party === undefined ? actorKey(actor) : `outside:${party}`;
}
