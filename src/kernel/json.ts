/** A JSON value as it is journaled: no `undefined`, no NaN, no functions. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A JSON object as it is journaled. */
export interface JsonObject {
  readonly [key: string]: Json;
}
