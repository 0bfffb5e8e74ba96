import { randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { JsonObject } from "../kernel/json.ts";
import { Fault } from "../ports/fault.ts";
import type {
  ActingService,
  BeatsAnswer,
  BusDelivery,
  BusLine,
  BusMessage,
  Envelope,
  Hearing,
  RollDocument,
} from "../ports/bus.ts";
import { InputError, isPlainObject } from "../protocol/input.ts";
import { noAnswer, readAnswer, readData } from "./answer.ts";
import { JsonLines } from "./json-lines.ts";
import type { SocketLine } from "./socket-line.ts";

/** How long an answer may take, ms. */
const answerMs = 5_000;

/** How long nothing may come on a stream that says every 5 s that it lives, ms. */
const silentMsMax = 20_000;

/** The pauses before a stream is opened anew, ms: each twice the last, and some more by chance. */
const pauseMsMin = 50;
const pauseMsMax = 5_000;

/** The bus and the roll over a line to the supervisor. */
export class BusConnection implements BusLine {
  readonly #line: SocketLine;

  constructor(line: SocketLine) {
    this.#line = line;
  }

  async roll(name?: string): Promise<RollDocument> {
    const path = name === undefined ? "/v1/roll" : `/v1/roll?name=${encodeURIComponent(name)}`;
    const so = { method: "GET", path, deadlineMs: answerMs } as const;
    const reply = await this.#line.ask(so);
    const data = readData(reply);
    if (!isPlainObject(data["sections"])) throw noAnswer(reply.status, reply.body);
    // The supervisor is this very program: its roll has the fields of one.
    return data as unknown as RollDocument;
  }

  async beats(list: readonly unknown[], as?: ActingService): Promise<BeatsAnswer> {
    const body = { beats: list, ...(as === undefined ? {} : { as }) } as unknown as JsonObject;
    const so = { method: "POST", path: "/v1/beats", deadlineMs: answerMs } as const;
    const reply = await this.#line.ask({ ...so, body });
    const { accepted, refused } = readData(reply);
    if (typeof accepted !== "number" || !Array.isArray(refused))
      throw noAnswer(reply.status, reply.body);
    return { accepted, refused: refused as BeatsAnswer["refused"] };
  }

  async publish(message: BusMessage, as?: ActingService): Promise<{ readonly id: string }> {
    const body = { ...message, ...(as === undefined ? {} : { as }) } as unknown as JsonObject;
    const so = { method: "POST", path: "/v1/bus", deadlineMs: answerMs } as const;
    const reply = await this.#line.ask({ ...so, body });
    const { id } = readData(reply);
    if (typeof id === "string") return { id };
    throw noAnswer(reply.status, reply.body);
  }

  async follow(
    patterns: readonly string[] | Hearing,
    onDelivery: (delivery: BusDelivery) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const path = pathOf(patterns);
    let pauseMs = pauseMsMin;
    let isOpen: boolean | undefined;
    while (!signal.aborted) {
      await this.#follow(path, signal, (delivery) => {
        if (delivery.kind === "open") {
          isOpen = true;
          pauseMs = pauseMsMin;
        }
        onDelivery(delivery);
      });
      if (signal.aborted) return;
      if (isOpen !== false) onDelivery({ kind: "down" });
      isOpen = false;
      // By chance, so that not all who were cut off at once come back at once.
      const someMs = pauseMs + randomInt(pauseMs);
      await pause(someMs, undefined, { signal, ref: false }).catch(() => undefined);
      pauseMs = Math.min(pauseMsMax, 2 * pauseMs);
    }
  }

  /** One stream, until it ends or breaks. Throws only what would be no better next time. */
  async #follow(
    path: string,
    signal: AbortSignal,
    onDelivery: (delivery: BusDelivery) => void,
  ): Promise<void> {
    let status = 0;
    let refused: unknown;
    const lines = new JsonLines((value) => {
      if (status !== 200) refused = value;
      const delivery = status === 200 ? deliveryOf(value) : undefined;
      if (delivery !== undefined && !signal.aborted) onDelivery(delivery);
    });
    try {
      await this.#line.follow(path, {
        onText: (text) => lines.take(text),
        onStatus: (given) => (status = given),
        silentMsMax,
        signal,
      });
    } catch (error) {
      // It broke off, or never began: the next one tells whether somebody is there.
      if (!(error instanceof Fault)) throw error;
      return;
    }
    // An answer that is no stream is one line without its end.
    lines.take("\n");
    if (status === 200 || signal.aborted) return;
    try {
      readAnswer({ status, body: refused, retryAfterMs: undefined });
    } catch (error) {
      if (error instanceof InputError) throw error;
    }
  }
}

function pathOf(given: readonly string[] | Hearing): string {
  const { patterns, as } = "as" in given ? given : { patterns: given, as: undefined };
  const asked = new URLSearchParams();
  for (const pattern of patterns) asked.append("subject", pattern);
  if (as !== undefined) asked.set("as", as.service);
  return `/v1/bus?${asked.toString()}`;
}

/** What a line tells; undefined for one that only says that the stream lives. */
function deliveryOf(value: unknown): BusDelivery | undefined {
  if (!isPlainObject(value)) return undefined;
  const { kind, envelope, count } = value;
  if (kind === "open") return { kind };
  if (kind === "lost" && typeof count === "number") return { kind, count };
  if (kind !== "message" || !isPlainObject(envelope)) return undefined;
  // The supervisor is this very program: what it sends is an envelope.
  return { kind, envelope: envelope as unknown as Envelope };
}
