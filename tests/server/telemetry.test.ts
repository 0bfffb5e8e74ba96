// Spans through the API of OpenTelemetry alone, seen by a provider made by hand.
import {
  context,
  propagation,
  ROOT_CONTEXT,
  trace,
  type Context,
  type Span,
  type SpanOptions,
  type TextMapPropagator,
  type Tracer,
} from "@opentelemetry/api";
import { AsyncLocalStorage } from "node:async_hooks";
import { afterEach, expect, test } from "vitest";
import { serveFleet } from "./rig.ts";

interface Seen {
  name: string;
  readonly attributes: Record<string, unknown>;
  readonly parent: string | undefined;
  isEnded: boolean;
}

afterEach(() => {
  trace.disable();
  context.disable();
  propagation.disable();
});

/** A provider that keeps what it sees. */
function keepSpans(): readonly Seen[] {
  const seen: Seen[] = [];
  const start = (name: string, options: SpanOptions, parent: Context): Span => {
    const above = trace.getSpan(parent)?.spanContext().spanId;
    const attributes = { ...options.attributes };
    const one: Seen = { name, attributes, parent: above, isEnded: false };
    seen.push(one);
    const spanId = String(seen.length).padStart(16, "0");
    const span: Partial<Span> = {
      spanContext: () => ({ traceId: "1".repeat(32), spanId, traceFlags: 1 }),
      setAttribute: (key, value) => {
        attributes[key] = value;
        return span as Span;
      },
      setAttributes: (more) => {
        Object.assign(attributes, more);
        return span as Span;
      },
      updateName: (other) => {
        one.name = other;
        return span as Span;
      },
      setStatus: () => span as Span,
      recordException: () => undefined,
      end: () => {
        one.isEnded = true;
      },
    };
    return span as Span;
  };
  const store = new AsyncLocalStorage<Context>();
  context.setGlobalContextManager({
    active: () => store.getStore() ?? ROOT_CONTEXT,
    with: (active, work, ...[self, ...args]) =>
      store.run(active, () => work.call(self as never, ...args)),
    bind: (_, target) => target,
    enable() {
      return this;
    },
    disable() {
      return this;
    },
  });
  const tracer = {
    startSpan: (name: string, options: SpanOptions = {}, parent = context.active()) =>
      start(name, options, parent),
    startActiveSpan: (
      ...[name, options, parent, work]: [string, SpanOptions, Context, (span: Span) => unknown]
    ) => {
      const span = start(name, options, parent);
      return context.with(trace.setSpan(parent, span), () => work(span));
    },
  };
  trace.setGlobalTracerProvider({ getTracer: () => tracer as unknown as Tracer });
  const propagator: TextMapPropagator = {
    inject: () => undefined,
    extract: (above, carrier, getter) => {
      const [, traceId = "", spanId = ""] = String(getter.get(carrier, "traceparent")).split("-");
      return spanId === ""
        ? above
        : trace.setSpanContext(above, { traceId, spanId, traceFlags: 1 });
    },
    fields: () => ["traceparent"],
  };
  propagation.setGlobalPropagator(propagator);
  return seen;
}

test("[HA19] a request is a span by its route below its caller, a command below it", async () => {
  const seen = keepSpans();
  const served = await serveFleet();
  try {
    const token = await served.token("operator");
    const above = "00f067aa0ba902b7";
    const headers = { traceparent: `00-4bf92f3577b34da6a3ce929d0e0e4736-${above}-01` };
    const asking = { method: "POST", token, headers, body: { reason: "traced" } };
    expect((await served.ask("/v1/pause", asking)).status).toBe(200);
    expect(seen.map(({ name }) => name)).toEqual(["POST /v1/pause", "command fleet.pause"]);
    const [request, command] = seen;
    expect(request).toMatchObject({
      parent: above,
      isEnded: true,
      attributes: { "http.route": "/v1/pause", "http.response.status_code": 200 },
    });
    expect(command).toMatchObject({
      parent: "1".padStart(16, "0"),
      isEnded: true,
      attributes: { "stint.command": "fleet.pause", "stint.ok": true },
    });
    expect(JSON.stringify(seen)).not.toContain(token);
  } finally {
    await served.close();
  }
});
