import { LIMITS } from "../../kernel/limits.ts";
import { givePlainCommand } from "../../library/plain-command.ts";
import { decidedSchema } from "../../protocol/document/schema/journal.ts";
import { anyObject, fields, words } from "../../protocol/document/schema/shape.ts";
import { InputError } from "../../protocol/input.ts";
import { integer, jsonObject } from "../../protocol/scalar.ts";
import { mustBear } from "../auth/caller.ts";
import { giveAndTell, tell } from "../route/give.ts";
import { json, route, type Route } from "../route/route.ts";
import { traceCommand } from "../telemetry.ts";
import type { ServerWorld } from "../world.ts";

/** The routes that pass on what somebody asks, of services or of the rules. */
export function commandRoutes(world: ServerWorld): readonly Route[] {
  const { seat } = world.member;
  return [
    route({
      name: "POST /v1/control",
      tag: "orders",
      summary: "Ask the live instances of a name for something",
      details: "Each gets a message on its control subject; who that is, is in the entry.",
      body: fields({
        name: words,
        instance: words.optional(),
        action: words,
        ttl_ms: integer(LIMITS.controlTtlMsMin, LIMITS.controlTtlMsMax),
        data: jsonObject({ bytesMax: LIMITS.controlDataBytesMax, nestingMax: 16 })
          .meta({ type: "object" })
          .optional(),
      }),
      answer: json(decidedSchema, "whom it reaches"),
      handle: ({ body: data, caller, commandId }) =>
        giveAndTell(world, { kind: "control.request", data, caller: mustBear(caller), commandId }),
    }),
    route({
      name: "POST /v1/commands",
      tag: "orders",
      summary: "Give one command in the journal's own words",
      details: "Its kinds and bodies are in docs/journal.md; what has a route of its own too.",
      body: fields({ kind: words, data: anyObject }),
      answer: json(decidedSchema, "the entries"),
      handle: async ({ body, caller, commandId }) => {
        // A kill is more than its entry, and needs the fleet's name.
        if (body.kind === "fleet.kill") {
          const expected = "one without a route of its own (POST /v1/kill)";
          throw new InputError("usage", [{ path: "body.kind", expected, got: '"fleet.kill"' }]);
        }
        const as = { ...seat, owner: mustBear(caller).actor };
        const id = commandId === undefined ? {} : { id: commandId };
        const kind = { kind: body.kind } as Parameters<typeof traceCommand>[0];
        return tell(await traceCommand(kind, () => givePlainCommand(as, body, id)));
      },
    }),
  ];
}
