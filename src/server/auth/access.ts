import type { TokenRole } from "../../kernel/access/token.ts";

/** Who may use a route: a page without anything of the fleet is anybody's. */
export type Admitted = "anybody" | readonly TokenRole[];

const ALL: Admitted = ["viewer", "operator", "worker", "service"];
const READERS: Admitted = ["viewer", "operator"];
/** A worker is answered for itself alone, which its handlers see to. */
const WORKERS: Admitted = ["viewer", "operator", "worker"];
const OPERATORS: Admitted = ["operator"];

/** Every route with who may use it: the guard and the API's description are made of this. */
export const ACCESS = {
  "GET /": "anybody",
  "GET /app.js": "anybody",
  "GET /app.css": "anybody",
  "GET /v1/docs": "anybody",
  "GET /v1/openapi.json": "anybody",
  "GET /v1/health": "anybody",
  "POST /v1/login": "anybody",
  "GET /v1/session": ALL,
  "DELETE /v1/session": ALL,
  "GET /v1/fleet": ALL,
  "GET /v1/supervisor": READERS,
  "GET /v1/contract": WORKERS,
  "POST /v1/contract": OPERATORS,
  "GET /v1/workers": READERS,
  "GET /v1/workers/{id}": WORKERS,
  "GET /v1/workers/{id}/lineage": WORKERS,
  "POST /v1/workers/{id}/beat": ["operator", "worker"],
  "POST /v1/workers/{id}/quarantine": OPERATORS,
  "POST /v1/workers/{id}/unquarantine": OPERATORS,
  "GET /v1/leases": WORKERS,
  "GET /v1/leases/{id}": WORKERS,
  "POST /v1/leases/{id}/revoke": OPERATORS,
  "GET /v1/lanes": WORKERS,
  "GET /v1/journal": READERS,
  "GET /v1/journal/{seq}": READERS,
  "GET /v1/journal/{seq}/explanation": READERS,
  "GET /v1/roll": ["viewer", "operator", "service"],
  "POST /v1/beats": ["operator", "service"],
  "POST /v1/control": OPERATORS,
  "POST /v1/stop": OPERATORS,
  "POST /v1/kill": OPERATORS,
  "POST /v1/pause": OPERATORS,
  "POST /v1/resume": OPERATORS,
  "POST /v1/commands": OPERATORS,
  "GET /v1/tokens": OPERATORS,
  "POST /v1/tokens": OPERATORS,
  "DELETE /v1/tokens/{id}": OPERATORS,
  "GET /v1/metrics": READERS,
  "GET /metrics": READERS,
  "GET /v1/events": ALL,
} as const satisfies Readonly<Record<string, Admitted>>;

/** A route by method and path, as in `GET /v1/workers/{id}`. */
export type RouteName = keyof typeof ACCESS;

/** Who may use a route. */
export function admittedTo(name: RouteName): Admitted {
  return ACCESS[name];
}
