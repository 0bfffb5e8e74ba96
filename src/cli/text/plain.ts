// What workers and users write (names of events, reasons, notes, states) ends up on somebody's
// terminal. Nothing of it may move the cursor, colour a line or pretend to be another line.

// Control characters, bidirectional overrides and separators that end a line for some terminals.
const unsafe = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Makes a text of unknown origin safe to print within one line: controls are shown escaped. */
export function plainText(text: string): string {
  return text.replaceAll(unsafe, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (character === "\n") return "\\n";
    if (character === "\t") return "\\t";
    return `\\u{${code.toString(16)}}`;
  });
}

const ascii = /^[\x20-\x7e]*$/;

let segmenter: Intl.Segmenter | undefined;

/** What a reader takes for the characters of a text. */
export function graphemesOf(text: string): readonly string[] {
  // Its data takes longer to load than all of a short call: not before there is need.
  if (ascii.test(text)) return text.split("");
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** Shortens a text to so many characters, the last an ellipsis; whole if it is no longer. */
export function shortText(text: string, charsMax: number): string {
  const characters = graphemesOf(text);
  if (characters.length <= charsMax) return text;
  return `${characters.slice(0, Math.max(0, charsMax - 1)).join("")}…`;
}
