/*
 * The roster, the roll and the tokens, kept from the journal's events alone: who stands how, and
 * which tokens are good. What a supervisor heard is judged here a second time, from its command.
 */

import type { Entry } from "../../../src/kernel/entry.ts";
import type { State } from "../../../src/kernel/state.ts";
import type { ServiceBooks } from "./books.ts";

interface Token {
  readonly hash: string;
  readonly role: string;
  readonly worker: string | undefined;
  readonly isCode: boolean;
  readonly endsAtMs: number;
}

/** A sighting as far as it is judged. */
interface Heard {
  readonly name: string;
  readonly every_ms: number;
  readonly silent_ms: number;
  readonly said: string;
}

/** Keeps roster, roll and tokens of one journal. */
export class ServiceLedger implements ServiceBooks {
  readonly #intervals = new Map<string, number>();
  readonly #rows = new Map<string, string>();
  readonly #tokens = new Map<string, Token>();
  /** Ids of all tokens that ever were, of the lost part too. */
  readonly #used = new Set<string>();
  /** What was asked by the decision that is looked at; only its first entry carries it. */
  #asked: Entry["command"] = null;
  /** What must still change by the decision that is looked at. */
  #due: string[] = [];

  /** What is wrong with an entry, by the books before it; `running`: names of workers by id. */
  *check(entry: Entry, running: ReadonlyMap<string, string>): Generator<string> {
    const { at_ms } = entry;
    if (entry.command !== null) {
      this.#asked = entry.command;
      this.#due =
        entry.command.kind === "roll.observe" ? this.#changes(entry.command.data.sightings) : [];
    }
    switch (entry.kind) {
      case "roll.changed": {
        const told = `${keyOf(entry.data)} ${entry.data.from} ${entry.data.to}`;
        const due = this.#due.shift();
        if (told !== due) yield `the roll must change by ${due}, got ${told}`;
        return;
      }
      case "token.issued":
        if (this.#isTaken(entry.data.token, entry.data.hash, at_ms))
          yield `${entry.data.token} was issued a second time`;
        return;
      case "token.exchanged":
        yield* this.#exchangeProblems(entry);
        return;
      case "token.revoked":
        if (!this.#isGood(entry.data.token, at_ms))
          yield `${entry.data.token} was revoked, and is no token`;
        return;
      case "control.requested":
        yield* this.#reachProblems(entry, running);
        return;
      case "service.acted":
        if (!this.#intervals.has(entry.data.name))
          yield `${entry.data.name} was acted on, and is not in the roster`;
        return;
      default:
    }
  }

  /** Books what has happened. */
  book(entry: Entry): void {
    switch (entry.kind) {
      case "roster.enacted":
        this.#intervals.clear();
        for (const { name, every_ms } of entry.data.expected) this.#intervals.set(name, every_ms);
        return;
      case "roll.changed":
        this.#rows.set(keyOf(entry.data), entry.data.to);
        return;
      case "roll.forgotten":
        for (const one of entry.data.instances) this.#rows.delete(keyOf(one));
        return;
      case "token.issued":
        this.#add(entry.data, { worker: entry.data.worker, isCode: entry.data.once === true });
        return;
      case "token.exchanged":
        this.#tokens.delete(entry.data.token);
        this.#add(entry.data.into, { worker: undefined, isCode: false });
        return;
      case "token.revoked":
        this.#tokens.delete(entry.data.token);
        return;
      case "fleet.recovered":
        this.#tokens.clear();
        return;
      case "worker.stopped":
      case "worker.lapsed":
        for (const [id, { worker }] of this.#tokens)
          if (worker === entry.data.worker) this.#tokens.delete(id);
        return;
      default:
    }
  }

  /** Where the state is not what these books say; expired tokens may stay in it, or not. */
  differences({ roll, access, at_ms }: State): readonly string[] {
    const said: string[] = [];
    for (const [key, status] of this.#rows)
      if (roll.get(key)?.status !== status) said.push(`${key} is ${status}`);
    if (roll.size !== this.#rows.size) said.push(`the roll has ${this.#rows.size} rows`);
    for (const [id, { endsAtMs, hash }] of this.#tokens)
      if (endsAtMs > at_ms && access.get(id)?.hash !== hash) said.push(`${id} is a token`);
    for (const id of access.keys()) if (!this.#tokens.has(id)) said.push(`${id} is none`);
    return said;
  }

  #add(
    data: { token: string; hash: string; role: string; expires_at_ms: number },
    so: Pick<Token, "worker" | "isCode">,
  ): void {
    const { token, hash, role, expires_at_ms: endsAtMs } = data;
    this.#used.add(token);
    this.#tokens.set(token, { hash, role, endsAtMs, ...so });
  }

  /** An id is used up for good, a secret as long as its token is good. */
  #isTaken(id: string, hash: string, atMs: number): boolean {
    const good = [...this.#tokens.values()].filter(({ endsAtMs }) => endsAtMs > atMs);
    return this.#used.has(id) || good.some((token) => token.hash === hash);
  }

  #isGood(id: string, atMs: number): boolean {
    return (this.#tokens.get(id)?.endsAtMs ?? 0) > atMs;
  }

  #exchangeProblems({ data: { token, into }, at_ms }: Entry<"token.exchanged">): readonly string[] {
    const code = this.#tokens.get(token);
    if (!this.#isGood(token, at_ms) || code?.isCode !== true)
      return [`${token} was exchanged, and is no login code that is good`];
    if (this.#used.has(into.token)) return [`${into.token} was issued a second time`];
    return code.role === into.role ? [] : [`a code of a ${code.role} made a ${into.role}`];
  }

  #reachProblems(
    { data }: Entry<"control.requested">,
    running: ReadonlyMap<string, string>,
  ): readonly string[] {
    const asked = this.#asked?.kind === "control.request" ? this.#asked.data.instance : undefined;
    const rows = [...this.#rows].flatMap(([key, status]) => {
      const [name = "", instance = ""] = key.split("/");
      return name === data.name && status !== "stopped" ? [instance] : [];
    });
    const workers = [...running].flatMap(([id, name]) => (name === data.name ? [id] : []));
    const due = [...rows, ...workers].filter((id) => asked === undefined || id === asked);
    const got = [...data.instances, ...data.workers];
    const isSame = due.toSorted().join() === got.toSorted().join();
    return isSame ? [] : [`${data.name} must be asked at ${due.join()}, got ${got.join()}`];
  }

  #changes(sightings: readonly (Heard & { readonly instance: string })[]): string[] {
    const rows = new Map(this.#rows);
    return sightings.flatMap((heard) => {
      const key = keyOf(heard);
      const from = rows.get(key) ?? "unknown";
      const to = this.#standing(heard);
      rows.set(key, to);
      return from === to ? [] : [`${key} ${from} ${to}`];
    });
  }

  #standing({ name, every_ms, silent_ms, said }: Heard): string {
    if (said === "stopped") return said;
    if (silent_ms >= (this.#intervals.get(name) ?? every_ms) * 3) return "stale";
    return said === "stopping" ? said : "ok";
  }
}

function keyOf({ name, instance }: { readonly name: string; readonly instance: string }): string {
  return `${name}/${instance}`;
}
