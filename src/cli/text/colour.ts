/** The few emphases that the command line uses; each returns its text unchanged without colour. */
export interface Colours {
  /** A heading or the one thing to look at. */
  readonly bold: (text: string) => string;
  /** What only some readers want. */
  readonly dim: (text: string) => string;
  /** Good: granted, proven, alive. */
  readonly green: (text: string) => string;
  /** To be looked at: stale, paused, weaker than asked. */
  readonly yellow: (text: string) => string;
  /** Bad: refused, killed, missing. */
  readonly red: (text: string) => string;
  /** A name to type or to follow: ids, commands. */
  readonly cyan: (text: string) => string;
}

type Style = keyof Colours;

/** The emphases for a place that shows colour, or for one that does not. */
export function coloursFor(isColour: boolean): Colours {
  const paint = (style: Style) => (text: string) => {
    if (!isColour || text === "") return text;
    // Not imported: most calls paint nothing, and would wait for it.
    const { styleText } = process.getBuiltinModule("node:util");
    // Whether the place shows colour was decided by the caller, who knows the place.
    return styleText(style, text, { validateStream: false });
  };
  return {
    bold: paint("bold"),
    dim: paint("dim"),
    green: paint("green"),
    yellow: paint("yellow"),
    red: paint("red"),
    cyan: paint("cyan"),
  };
}

/**
 * Whether to colour what goes to a terminal: only there, never when NO_COLOR is set to anything
 * (https://no-color.org), and not on a terminal that calls itself dumb.
 */
export function wantsColour(
  isTerminal: boolean,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  const { NO_COLOR: refused, TERM: terminal } = env;
  return isTerminal && (refused === undefined || refused === "") && terminal !== "dumb";
}
