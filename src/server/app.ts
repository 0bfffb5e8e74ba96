import { Hono, type Context } from "hono";
import { WrittenAnswers } from "./answer/cached.ts";
import { answerProblem, answerThrown } from "./answer/problem.ts";
import { ACCESS } from "./auth/access.ts";
import { Bearers } from "./auth/bearers.ts";
import { Broadcast } from "./events/broadcast.ts";
import { secureHeaders } from "./guard/headers.ts";
import { demandHost } from "./guard/host.ts";
import { ServerNumbers } from "./numbers.ts";
import { pageRoutes } from "./routes/pages.ts";
import { describeRoutes, placeOf, type OpenApiDocument } from "./route/description.ts";
import type { Route } from "./route/route.ts";
import { Serving, type Origin } from "./route/serving.ts";
import { commandRoutes } from "./routes/commands.ts";
import { eventRoutes } from "./routes/events.ts";
import { fleetRoutes } from "./routes/fleet.ts";
import { groundRoutes } from "./routes/ground.ts";
import { journalRoutes } from "./routes/journal.ts";
import { metricsRoutes } from "./routes/metrics.ts";
import { orderRoutes } from "./routes/orders.ts";
import { rollRoutes } from "./routes/roll.ts";
import { sessionRoutes } from "./routes/session.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { workerOrderRoutes } from "./routes/worker-orders.ts";
import { workerRoutes } from "./routes/workers.ts";
import { traceRequest } from "./telemetry.ts";
import type { ServerWorld } from "./world.ts";

const NOT_ALLOWED = 405;
const NOT_FOUND = 404;

/** How the app is made. */
export interface AppOptions {
  readonly world: ServerWorld;
  /** Names besides addresses and `localhost` that it is reached by. */
  readonly hostNames: readonly string[];
  readonly isTls: boolean;
}

/** The app: answers requests, whatever brings them. */
export interface App {
  /** Answers a request that came from an address; never rejects. */
  readonly answer: (request: Request, origin: Origin) => Promise<Response>;
  /** Every route, in the order of the description. */
  readonly routes: readonly Route[];
  readonly description: OpenApiDocument;
  /** Ends the streams, so that nothing holds up who closes the listener. */
  readonly close: () => void;
}

interface Env {
  readonly Bindings: Origin;
  readonly Variables: { route: string };
}

/** Puts the routes together with what guards them. */
export function makeApp({ world, hostNames, isTls }: AppOptions): App {
  const { seat } = world.member;
  const numbers = new ServerNumbers();
  const nowMs = (): number => seat.clock.read().wallMs;
  const bearers = new Bearers(() => seat.loop.state(), nowMs);
  const broadcast = new Broadcast({ seat, bus: world.bus, numbers });
  const onFailure = (): void => numbers.failed();
  const serving = new Serving({ bearers, host: seat.host.id, log: world.log, onFailure });
  const written = new WrittenAnswers(world.version);
  const fail = (address: string): number => serving.fail(address);
  const described: Route[] = [
    ...fleetRoutes(world, written),
    ...workerRoutes(world, written),
    ...workerOrderRoutes(world),
    ...groundRoutes(world, written),
    ...journalRoutes(world),
    ...rollRoutes(world),
    ...orderRoutes(world),
    ...commandRoutes(world),
    ...eventRoutes(world, { broadcast, bearers }),
    ...metricsRoutes(world, numbers),
    ...sessionRoutes(world, { bearers, fail }),
    ...tokenRoutes(world),
  ];
  const description = describeRoutes([...described, ...pageRoutes(undefined)], world.version);
  const routes = [...described, ...pageRoutes(description)];
  const app = new Hono<Env>();
  app.onError((error) => answerThrown(error, world.log));
  app.notFound(answerNoRoute);
  app.use(observe(world, numbers), secureHeaders({ isTls }), demandHost(hostNames));
  for (const route of routes) {
    const { method, path } = placeOf(route.name);
    const handle = serving.handlerOf(route);
    app.on(method, path.replaceAll(/\{(\w+)\}/g, ":$1"), (context) => {
      context.set("route", route.name);
      return handle(context, context.env);
    });
  }
  return {
    answer: async (request, origin) =>
      traceRequest(request, async () => app.fetch(request, origin)),
    routes,
    description,
    close: () => broadcast.close(),
  };
}

/** Counts every request and logs it: its route, never its path's or its headers' secrets. */
function observe({ log }: ServerWorld, numbers: ServerNumbers) {
  return async (context: Context<Env>, next: () => Promise<void>): Promise<void> => {
    const startedMs = performance.now();
    await next();
    const { method } = context.req;
    const { status } = context.res;
    const [route, tookMs] = [context.get("route") ?? "none", performance.now() - startedMs];
    numbers.served({ route, method: METHODS.has(method) ? method : "other", status, tookMs });
    const { address } = context.env;
    log.info("request", { method, route, status, took_ms: Math.round(tookMs), address });
  };
}

/** Methods that are counted by their names; others are made up. */
const METHODS: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
]);

/** Says that there is no such route, or with which methods there is. */
function answerNoRoute({ req }: Context): Response {
  const allowed = Object.keys(ACCESS)
    .map((name) => placeOf(name as keyof typeof ACCESS))
    .filter(({ path }) => isLike(path, req.path))
    .map(({ method }) => method);
  const got = `${req.method} ${req.path}`.slice(0, 200);
  const detail = `the request must be one that the API has (/v1/docs), got ${JSON.stringify(got)}`;
  if (allowed.length === 0) return answerProblem("usage", { detail, status: NOT_FOUND });
  const headers = { Allow: allowed.join(", ") };
  return answerProblem("usage", { detail, status: NOT_ALLOWED, headers });
}

function isLike(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split("/"), path.split("/")];
  const matches = (part: string, index: number): boolean =>
    part.startsWith("{") ? (given[index] ?? "") !== "" : part === given[index];
  return wanted.length === given.length && wanted.every(matches);
}
