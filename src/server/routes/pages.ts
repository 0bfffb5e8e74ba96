import { fields } from "../../protocol/document/schema/shape.ts";
import { anyObject, yesOrNo } from "../../protocol/document/schema/shape.ts";
import { docsPage } from "../page/docs.ts";
import { HOME_PAGE } from "../page/home.ts";
import { HOME_SCRIPT } from "../page/script.ts";
import { STYLE } from "../page/style.ts";
import type { OpenApiDocument } from "../route/description.ts";
import { json, route, type Route } from "../route/route.ts";

const HTML = "text/html; charset=utf-8";

/** What of this server has nothing of the fleet in it, and is kept a while by who asks for it. */
const FRESH = "public, max-age=300";

/** The routes that are anybody's: pages and the API's description. */
export function pageRoutes(description: OpenApiDocument | undefined): readonly Route[] {
  const docs = description === undefined ? "" : docsPage(description);
  return [
    file("GET /", { type: HTML, text: HOME_PAGE, says: "a page that logs in and shows the fleet" }),
    file("GET /app.js", {
      type: "text/javascript; charset=utf-8",
      text: HOME_SCRIPT,
      says: "its script",
    }),
    file("GET /app.css", { type: "text/css; charset=utf-8", text: STYLE, says: "its style" }),
    file("GET /v1/docs", { type: HTML, text: docs, says: "this description, to be read" }),
    route({
      name: "GET /v1/openapi.json",
      tag: "pages",
      summary: "Show this description, as OpenAPI 3.1",
      answer: json(anyObject, "the description"),
      handle: () => Response.json(description, { headers: { "Cache-Control": FRESH } }),
    }),
    route({
      name: "GET /v1/health",
      tag: "pages",
      summary: "Say that this server answers",
      details: "It says nothing of the fleet: GET /v1/metrics does.",
      answer: json(fields({ ok: yesOrNo }), "it answers"),
      handle: () => Response.json({ ok: true }),
    }),
  ];
}

function file(
  name: "GET /" | "GET /app.js" | "GET /app.css" | "GET /v1/docs",
  so: { readonly type: string; readonly text: string; readonly says: string },
): Route {
  const { type, text, says } = so;
  return route({
    name,
    tag: "pages",
    summary: `Show ${says}`,
    answer: { kind: "text", type, says },
    handle: () => new Response(text, { headers: { "Content-Type": type, "Cache-Control": FRESH } }),
  });
}
