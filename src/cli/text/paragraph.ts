import { widthOf } from "./table.ts";

/** Breaks a paragraph into lines of at most so many columns, at blanks; longer words stay whole. */
export function paragraphText(text: string, columns: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && widthOf(longer) > columns) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].join("\n");
}
