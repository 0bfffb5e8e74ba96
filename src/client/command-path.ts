import type { CommandOrder } from "../ports/supervision.ts";

/** Where a command is given on a socket, with what is not part of it. */
export function commandPath({
  sights,
  turn_ms = 0,
}: Pick<CommandOrder, "sights" | "turn_ms">): string {
  const asked = new URLSearchParams({
    ...(sights === true ? { sights: "true" } : {}),
    ...(turn_ms > 0 ? { turn_ms: String(turn_ms) } : {}),
  });
  return asked.size === 0 ? "/v1/commands" : `/v1/commands?${asked.toString()}`;
}
