// Spans through the API of OpenTelemetry alone: without an SDK in the process all of it does
// nothing, and with one what is measured goes where that one sends it.

import {
  context,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
} from "@opentelemetry/api";
import type { Command } from "../kernel/command.ts";
import { VERSION } from "../system/version.ts";

const NAME = "stint";

/** From here on the server is to blame. */
const STATUS_OF_FAULTS = 500;

/** Runs the answering of a request in a span, under the caller's trace where it names one. */
export function traceRequest(
  request: Request,
  answer: (span: Span) => Promise<Response>,
): Promise<Response> {
  const caller = propagation.extract(context.active(), request.headers, {
    get: (headers, name) => headers.get(name) ?? undefined,
    keys: (headers) => [...headers.keys()],
  });
  const { pathname } = new URL(request.url);
  const attributes = { "http.request.method": request.method, "url.path": pathname };
  const so = { kind: SpanKind.SERVER, attributes };
  return spanned(request.method, { ...so, parent: caller }, async (span) => {
    const response = await answer(span);
    span.setAttribute("http.response.status_code", response.status);
    if (response.status >= STATUS_OF_FAULTS) span.setStatus({ code: SpanStatusCode.ERROR });
    return response;
  });
}

/** Names the span of a request by its route, which few requests share a path with. */
export function nameRoute(route: string): void {
  const span = trace.getActiveSpan();
  span?.updateName(route);
  span?.setAttribute("http.route", route.slice(route.indexOf(" ") + 1));
}

/** Runs the carrying of a command in a span. */
export function traceCommand<T extends { readonly ok: boolean; readonly seq: number }>(
  { kind }: Pick<Command, "kind">,
  carry: () => Promise<T>,
): Promise<T> {
  const attributes = { "stint.command": kind };
  const so = { kind: SpanKind.INTERNAL, attributes, parent: context.active() };
  return spanned(`command ${kind}`, so, async (span) => {
    const answer = await carry();
    span.setAttributes({ "stint.ok": answer.ok, "stint.seq": answer.seq });
    return answer;
  });
}

function spanned<T>(
  name: string,
  so: { readonly kind: SpanKind; readonly attributes: Attributes; readonly parent: Context },
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const { parent, ...options } = so;
  return trace.getTracer(NAME, VERSION).startActiveSpan(name, options, parent, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      span.recordException(error instanceof Error ? error : String(error));
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}
