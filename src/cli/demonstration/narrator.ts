import { Board } from "../../demo/telling/board.ts";
import { plainNarrator, type Narrator, type Tone } from "../../demo/telling/narrator.ts";
import type { Call } from "../call.ts";
import { coloursFor, type Colours } from "../text/colour.ts";
import { paragraphText } from "../text/paragraph.ts";
import { plainText } from "../text/plain.ts";

/**
 * Tells the demo where its story belongs: on a terminal with a board below it; in a pipe, or on
 * stderr where a program reads stdout, line by line.
 */
export function narratorFor(call: Call): Narrator {
  const narrator = placeFor(call);
  return {
    // What comes from workers or file names must not steer a terminal.
    tell: (text, tone) => narrator.tell(plainText(text), tone),
    follow: (look) => narrator.follow(look),
    close: () => narrator.close(),
  };
}

function placeFor(call: Call): Narrator {
  const { stdout, stderr } = process;
  if (call.isJson) return plainNarrator((text) => stderr.write(text));
  if (!stdout.isTTY || process.env["TERM"] === "dumb")
    return plainNarrator((text) => stdout.write(text));
  const paint = painterOf(coloursFor(call.isColour));
  return new Board({
    write: (text) => stdout.write(text),
    columns: () => stdout.columns,
    onResize(listener) {
      stdout.on("resize", listener);
      return () => stdout.off("resize", listener);
    },
    wrap: wrapLine,
    paint,
  });
}

/** What stands before the text of a line: an entry's number and verb, a mark, or blanks. */
const LEAD = /^(?: *\d+ {2}\S+ +| {6}\S+ +|[✓✗▸] | +)/;

/** How much room a text must have for it to be indented, characters. */
const INDENTED_COLUMNS_MIN = 30;

/** Breaks a line of the story at blanks; it goes on below its own text, where there is room. */
export function wrapLine(line: string, columns: number): string {
  const lead = LEAD.exec(line)?.[0] ?? "";
  const room = columns - lead.length;
  const indent = room < INDENTED_COLUMNS_MIN ? 0 : lead.length;
  const text = paragraphText(line.slice(lead.length), Math.max(1, room));
  return lead + text.replaceAll("\n", `\n${" ".repeat(indent)}`);
}

function painterOf(colours: Colours): (text: string, tone: Tone) => string {
  return (text, tone) => {
    if (tone === "good") return colours.green(text);
    if (tone === "bad") return colours.red(text);
    return tone === "dim" ? colours.dim(text) : text;
  };
}
