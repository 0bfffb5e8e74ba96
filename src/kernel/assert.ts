/** A broken invariant of Stint itself; nobody handles it but by stopping and restarting. */
export class Bug extends Error {
  override readonly name = "Bug";
}

/**
 * Throws a {@link Bug} unless `condition` holds.
 * Only for our own invariants, never for input from outside.
 */
export function ok(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Bug(message);
}

/** Closes a switch over a union: reaching it at run time is a {@link Bug}. */
export function unreachable(value: never): never {
  throw new Bug(`unexpected case: ${JSON.stringify(value)}`);
}
