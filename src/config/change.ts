/** One field in which what is in force and what is proposed differ, both as a config writes it. */
export interface Change {
  readonly field: string;
  /** Absent where there was, or will be, none. */
  readonly before?: string;
  readonly after?: string;
}

/** What differs between two documents by field, in the order of the fields. */
export function flatChanges(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly Change[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((field): Change[] => {
    const [was, will] = [before.get(field), after.get(field)];
    if (was === will) return [];
    return [
      {
        field,
        ...(was === undefined ? {} : { before: was }),
        ...(will === undefined ? {} : { after: will }),
      },
    ];
  });
}
