import { measureFleet, prometheusText } from "../../library/feed/prometheus.ts";
import type { MeasuresDocument } from "../../library/feed/prometheus.ts";
import { JournalTally } from "../../library/feed/tally.ts";
import { z } from "zod";
import { count, words } from "../../protocol/document/schema/shape.ts";
import type { ServerNumbers } from "../numbers.ts";
import { json, route, type Route } from "../route/route.ts";
import type { ServerWorld } from "../world.ts";

const PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

const metricsSchema = z
  .looseObject({ fleet: words, name: words, status: words, seq: count, live_count: count })
  .meta({ id: "Metrics", description: "The fleet in numbers, as `stint metrics --json` has it." });

/** The routes that say how the fleet and this server are, in numbers. */
export function metricsRoutes(world: ServerWorld, numbers: ServerNumbers): readonly Route[] {
  const { seat } = world.member;
  const tally = new JournalTally(seat.store.journal);
  const measure = async (): Promise<MeasuresDocument> => {
    const [counted, status] = await Promise.all([tally.catchUp(), world.bus.status()]);
    const state = await seat.loop.look();
    const { wallMs: nowMs } = seat.clock.read();
    return measureFleet({ state, tally: counted, nowMs, isSupervisorUp: status !== null });
  };
  return [
    route({
      name: "GET /v1/metrics",
      tag: "metrics",
      summary: "Show the fleet in numbers",
      answer: json(metricsSchema, "the numbers"),
      handle: async () => Response.json(await measure()),
    }),
    route({
      name: "GET /metrics",
      tag: "metrics",
      summary: "Show the fleet and this server in numbers, for Prometheus",
      answer: { kind: "text", type: PROMETHEUS, says: "Prometheus' text format, version 0.0.4" },
      handle: async () => {
        const { roll } = seat.loop.state();
        const text = (await prometheusText(await measure())) + (await numbers.text(roll.values()));
        return new Response(text, { headers: { "Content-Type": PROMETHEUS } });
      },
    }),
  ];
}
