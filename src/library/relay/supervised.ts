import type { Member } from "../member.ts";
import { settledWithin } from "../waiting.ts";

/**
 * Whether a supervisor says within a time that it is there: it hears what is journaled, and ends by
 * itself what it runs. Never rejects.
 */
export async function isSupervised(
  { seat, relay }: Pick<Member, "seat" | "relay">,
  withinMs: number,
): Promise<boolean> {
  if (relay === undefined) return false;
  const said = await settledWithin(relay.link.status(), withinMs, seat.timers);
  return said.kind === "done" && said.value !== undefined;
}
