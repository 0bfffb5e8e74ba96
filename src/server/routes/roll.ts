import { z } from "zod";
import { anyObject, count, fields, named, words } from "../../protocol/document/schema/shape.ts";
import { mustBear } from "../auth/caller.ts";
import { json, route, type Route } from "../route/route.ts";
import type { ServerWorld } from "../world.ts";

/** How many beats one request may bring. */
const beatsMax = 1_000;

const rollSchema = z
  .looseObject({
    at_ms: count,
    bus: anyObject,
    watching_since_ms: count.nullable(),
    sections: fields({
      expected: z.array(anyObject),
      unexpected: z.array(anyObject),
      workers: z.array(anyObject),
    }),
    counts: anyObject,
  })
  .meta({ id: "Roll", description: "Who is alive, by name; see docs/roll.md." });

const beatsSchema = named("BeatsAnswer", "What became of each beat.", {
  accepted: count,
  refused: z.array(
    fields({ index: count, problem: fields({ path: words, expected: words, got: words }) }),
  ),
});

/** The routes about who is alive. */
export function rollRoutes({ bus }: ServerWorld): readonly Route[] {
  const tag = "roll";
  return [
    route({
      name: "GET /v1/roll",
      tag,
      summary: "Show who was expected, who was heard, and when",
      answer: json(rollSchema, "the roll"),
      handle: async () => Response.json(await bus.ask((line) => line.roll())),
    }),
    route({
      name: "POST /v1/beats",
      tag,
      summary: "Say that instances of a service are alive",
      details:
        "Each beat is taken or refused by itself. A service's token beats for its name alone.",
      body: fields({
        beats: z
          .array(z.unknown().meta({}), { error: `an array of at most ${beatsMax} beats` })
          .max(beatsMax, { error: `an array of at most ${beatsMax} beats` }),
      }),
      answer: json(beatsSchema, "what became of them"),
      handle: async ({ body, caller }) => {
        const { role, token } = mustBear(caller);
        const as = role === "service" ? { service: token.service ?? "" } : undefined;
        return Response.json(await bus.ask((line) => line.beats(body.beats, as)));
      },
    }),
  ];
}
