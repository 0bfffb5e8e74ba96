import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { RollRow } from "../kernel/roster/roll.ts";

/** Bounds of how long requests took, s. */
const SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30];

/** What a request came to. */
export interface Served {
  /** Its route, or `none`: never its path, of which there are as many as anybody likes. */
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly tookMs: number;
}

/** This server in numbers; they begin anew with it. */
export class ServerNumbers {
  readonly #registry = new Registry();
  readonly #requests: Counter<"route" | "method" | "status">;
  readonly #seconds: Histogram;
  readonly #failures: Counter;
  readonly #lost: Counter;
  readonly #streams: Gauge;
  readonly #bus: Gauge;
  readonly #roll: Gauge<"name" | "status">;

  constructor() {
    const registers = [this.#registry];
    const named = (name: string, help: string): { name: string; help: string } => ({
      name: `stint_${name}`,
      help,
    });
    this.#requests = new Counter({
      ...named("http_requests_total", "Requests by route, method and status."),
      labelNames: ["route", "method", "status"],
      registers,
    });
    this.#seconds = new Histogram({
      ...named("http_request_seconds", "How long requests took, streams left out."),
      buckets: SECONDS,
      registers,
    });
    this.#failures = new Counter({
      ...named("http_login_failures_total", "Requests and logins that showed what opens nothing."),
      registers,
    });
    this.#lost = new Counter({
      ...named("http_stream_lost_total", "Bus messages that slow readers of events have lost."),
      registers,
    });
    this.#streams = new Gauge({
      ...named("http_streams", "Streams of events that are open."),
      registers,
    });
    this.#bus = new Gauge({
      ...named("bus_up", "Whether this server hears the bus."),
      registers,
    });
    this.#roll = new Gauge({
      ...named("roll_instances", "Instances of services by name and status, as journaled."),
      labelNames: ["name", "status"],
      registers,
    });
  }

  /** Takes note of a request that was answered. */
  served({ route, method, status, tookMs }: Served): void {
    this.#requests.inc({ route, method, status });
    if (route !== "GET /v1/events") this.#seconds.observe(tookMs / 1_000);
  }

  /** Takes note of somebody who showed what opens nothing. */
  failed(): void {
    this.#failures.inc();
  }

  /** Takes note of bus messages that a slow reader has lost. */
  lost(count: number): void {
    this.#lost.inc(count);
  }

  /** Says how many streams are open. */
  set streams(count: number) {
    this.#streams.set(count);
  }

  /** Says whether the bus is heard. */
  set isBusUp(isUp: boolean) {
    this.#bus.set(isUp ? 1 : 0);
  }

  /** All of it in Prometheus' text format. */
  async text(roll: Iterable<RollRow>): Promise<string> {
    this.#roll.reset();
    for (const { name, status } of roll) this.#roll.inc({ name, status });
    return this.#registry.metrics();
  }
}
