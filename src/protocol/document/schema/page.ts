import { z } from "zod";
import { count, named, words } from "./shape.ts";

/** The schema of a page, under a name; `Workers` of workers. */
export function pageOf(id: string, item: z.ZodType): z.ZodObject {
  return named(id, "A part of a list, in the list's order.", {
    items: z.array(item),
    next: words.nullable().meta({ description: "what `after` is for the next part; null: none" }),
    seq: count,
  });
}
