/** A text as one word of a command that is typed into a shell; quoted only where it must be. */
export function shellWord(text: string): string {
  if (/^[\w%+,./:@-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
