/** The longest line that is taken, characters. */
const lineCharsMax = 65_536;

/** Puts lines of JSON together from pieces of text; one that is broken or too long is left out. */
export class JsonLines {
  readonly #onValue: (value: unknown) => void;
  #rest = "";
  #isTooLong = false;

  constructor(onValue: (value: unknown) => void) {
    this.#onValue = onValue;
  }

  /** Takes the next piece and hands over every line that it completes. */
  take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#read(line);
    if (this.#rest.length <= lineCharsMax) return;
    this.#isTooLong = true;
    this.#rest = "";
  }

  #read(line: string): void {
    const isRest = this.#isTooLong;
    this.#isTooLong = false;
    if (isRest || line.length > lineCharsMax || line.trim() === "") return;
    const value = parse(line);
    if (value !== undefined) this.#onValue(value);
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // One malformed line ends no stream.
    return undefined;
  }
}
