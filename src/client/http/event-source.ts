/** An event of a stream, as it was sent. */
export interface SentEvent {
  readonly event: string;
  readonly data: string;
  /** Undefined where it has none of its own. */
  readonly id: string | undefined;
}

/** The longest event that is taken, characters: an entry is shorter by far. */
const charsMax = 4 * 2 ** 20;

/** Reads server-sent events (HTML standard, 9.2.6) from the pieces that they come in. */
export class EventReader {
  readonly #decoder = new TextDecoder();
  #rest = "";
  #event = "";
  #data: string[] = [];
  #id: string | undefined;

  /** Takes a piece; answers the events that are whole by it. Throws a RangeError for a flood. */
  read(piece: Uint8Array): readonly SentEvent[] {
    this.#rest += this.#decoder.decode(piece, { stream: true });
    const lines = this.#rest.split("\n");
    this.#rest = lines.pop() ?? "";
    const found = lines.flatMap((line) => this.#line(line.replace(/\r$/, "")) ?? []);
    const chars = this.#data.reduce((sum, { length }) => sum + length, this.#rest.length);
    if (chars <= charsMax) return found;
    throw new RangeError(`an event must have at most ${charsMax} characters, one has more`);
  }

  #line(line: string): SentEvent | undefined {
    if (line === "") return this.#end();
    const colon = line.indexOf(":");
    // A comment: it only shows that somebody is there.
    if (colon === 0) return undefined;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#event = value;
    if (name === "data") this.#data.push(value);
    if (name === "id") this.#id = value;
    return undefined;
  }

  #end(): SentEvent | undefined {
    const [event, data, id] = [this.#event, this.#data, this.#id];
    [this.#event, this.#data, this.#id] = ["", [], undefined];
    return data.length === 0 ? undefined : { event, data: data.join("\n"), id };
  }
}
