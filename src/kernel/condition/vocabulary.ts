/** The CEL type of a name, or the types of its fields where they are known. */
export type CelType = string | CelFields;

/** The CEL types of an object whose fields are all known. */
export interface CelFields {
  readonly [field: string]: CelType;
}

/** What conditions of one kind may use. */
export interface Vocabulary {
  /** Every name, with its CEL type. */
  readonly types: CelFields;
  /** The names that may be null, and so cannot be given a record type in CEL. */
  readonly nullable: ReadonlySet<string>;
}
