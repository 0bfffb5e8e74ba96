import { writeCores, writeDuration, writeSize } from "../../config/amount.ts";
import type { RefusalView } from "../../library/refused.ts";
import { writeInstant } from "../../kernel/time/instant.ts";
import { agoText, instantText } from "./duration.ts";

/** How the amounts of a budget's keys are called and typed; others are plain numbers. */
const FORMS: Readonly<Record<string, readonly [name: string, write: (amount: number) => string]>> =
  {
    memoryBytes: ["memory", writeSize],
    cpuMilli: ["cpu", writeCores],
    wallMs: ["wall", writeDuration],
    lifetimeMs: ["lifetime", writeDuration],
    cpuMs: ["cpu time", writeDuration],
  };

/**
 * A refusal's sentence for people: what it says of an amount of a budget is in the units in which
 * amounts are typed, exactly, and an instant is in UTC. The record and programs have the numbers.
 */
export function messageForPeople({ code, message, facts }: RefusalView): string {
  const { key, asked, free } = facts;
  const wireName = typeof key === "string" ? key : "";
  const form = code === "budget_exceeded" ? FORMS[camelOf(wireName)] : undefined;
  if (form === undefined) return withInstants(message, facts);
  const [name, write] = form;
  const amounts = new Set([asked, free].filter((fact) => typeof fact === "number"));
  return message.replace(wireName, name).replaceAll(/(?<![\w.-])\d+(?![\w.-])/g, (digits) => {
    const amount = Number(digits);
    return amounts.has(amount) ? write(amount) : digits;
  });
}

/** Facts that are instants of journal time. */
const INSTANTS = ["expiresAtMs", "nextExpiresAtMs"];

/** A sentence whose instants are short, and said from now: the record has them to the ms. */
function withInstants(message: string, facts: RefusalView["facts"]): string {
  const nowMs = Date.now();
  let text = message;
  for (const name of INSTANTS) {
    const { [name]: fact } = facts;
    if (typeof fact !== "number") continue;
    const said = `${instantText(fact)} (${agoText(fact, nowMs)})`;
    text = text.replaceAll(String(fact), said).replaceAll(writeInstant(fact), said);
  }
  return text;
}

function camelOf(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
