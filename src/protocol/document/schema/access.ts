import { z } from "zod";
import { count, instantMs, named, words, yesOrNo } from "./shape.ts";
import { ROLES } from "../access.ts";

const shape = {
  token: words.meta({ description: "the id of the token, which is no secret" }),
  role: z.enum(ROLES),
  label: words.optional(),
  service: words.optional(),
  worker: words.optional(),
  issued_at_ms: instantMs,
  expires_at_ms: instantMs,
  once: yesOrNo.optional(),
};

/** The schema of `../access.ts`. */
export const tokenSchema = named("Token", "A token, without its secret.", shape);

/** The schema of `../access.ts`. */
export const tokensSchema = named("Tokens", "The tokens that are live, by id.", {
  tokens: z.array(tokenSchema),
  seq: count,
});

/** The schema of `../access.ts`. */
export const issuedSchema = named("Issued", "A token with its secret, shown this once.", {
  token: words,
  role: z.enum(ROLES),
  secret: words.meta({ description: "what is sent as `Authorization: Bearer …`" }),
  expires_at_ms: instantMs,
});

/** The schema of `../access.ts`. */
export const sessionSchema = named("Session", "Who asks, as the server sees it.", {
  token: tokenSchema,
  fleet: words,
  name: words,
});
