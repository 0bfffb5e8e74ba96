import type { Process } from "./process.ts";

/** Something that a process was asked for. */
export interface Ticket {
  readonly process: Process;
  readonly what: string;
}

/** What is done with an answer, and with an error instead of one. */
export interface Ears<T> {
  readonly hear: (value: T) => void;
  readonly hearError: (error: unknown) => void;
}

/** Everything that processes were asked for and have not answered, as long as they live. */
export class Waiting {
  #tickets: readonly Ticket[] = [];

  /** Waits for one answer. It is not heard if the process is dropped before. */
  expect<T>(ticket: Ticket, promise: Promise<T>, ears: Ears<T>): void {
    this.#tickets = [...this.#tickets, ticket];
    void promise.then(
      (value) => {
        if (this.#take(ticket)) ears.hear(value);
      },
      (error: unknown) => {
        if (this.#take(ticket)) ears.hearError(error);
      },
    );
  }

  /** How many answers are awaited. */
  get count(): number {
    return this.#tickets.length;
  }

  /** Forgets what a dead process was asked for; answers how much that was. */
  drop(process: Process): number {
    const before = this.count;
    this.#tickets = this.#tickets.filter((ticket) => ticket.process !== process);
    return before - this.count;
  }

  /** Says who owes an answer to what. */
  describe(): string {
    return this.#tickets.map(({ process, what }) => `${process.name} ${what}`).join(", ");
  }

  #take(ticket: Ticket): boolean {
    const isAwaited = this.#tickets.includes(ticket);
    this.#tickets = this.#tickets.filter((other) => other !== ticket);
    return isAwaited;
  }
}
