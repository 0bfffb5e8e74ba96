import { decide } from "../../kernel/decide.ts";
import { RULES } from "../../kernel/entry.ts";
import { Fault } from "../../ports/fault.ts";
import type { Draft } from "../../ports/journal.ts";
import { freshCommandId } from "../../runtime/base32.ts";
import { replay } from "../../runtime/replay.ts";
import { actorOf, type Surroundings } from "../seat.ts";
import type { OpenStore } from "../fleet/store.ts";

const REASON = "the journal was imported: resume it when the fleet it was exported from has ended";

/**
 * Makes an imported journal a fleet that can be opened: one that was not killed gets its permit
 * and is paused, for the fleet it was exported from may still be at work. A killed one stays so.
 */
export async function settleImported(
  { journal, permit }: OpenStore,
  { random, host }: Pick<Surroundings, "random" | "host">,
): Promise<void> {
  const { head, state } = await replay(journal);
  if (state.fleet === null || state.status === "killed") return;
  const { fleet } = state;
  const actor = actorOf(host, { kind: "operator", via: "library" });
  const command = { kind: "fleet.pause", data: { reason: REASON } } as const;
  const id = freshCommandId(random);
  const outcome = await journal.append(head, (atMs) =>
    decide(state, { id, actor, command }, atMs).events.map((event, index): Draft => {
      return { fleet, rules: RULES, id, actor, command: index === 0 ? command : null, event };
    }),
  );
  if (outcome.kind === "moved") {
    const message = `the imported journal must end at entry ${head.seq}, it was appended to`;
    throw new Fault("storage_busy", message);
  }
  // Last: whoever dies before it leaves a fleet that nothing can be started in, not one that is
  // open while the fleet it was exported from still works.
  await permit.grant(fleet);
}
