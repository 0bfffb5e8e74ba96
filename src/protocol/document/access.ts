/** What a token lets its bearer do. */
export type Role = "viewer" | "operator" | "worker" | "service";

/** Every role. */
export const ROLES = ["viewer", "operator", "worker", "service"] as const satisfies readonly Role[];

/** A token, without what it is known by. */
export interface TokenDocument {
  readonly token: string;
  readonly role: Role;
  readonly label?: string;
  /** Of a service's token: the only name that it may beat for. */
  readonly service?: string;
  /** Of a worker's token: whose it is. */
  readonly worker?: string;
  readonly issued_at_ms: number;
  /** From then on it opens nothing. */
  readonly expires_at_ms: number;
  /** Whether it is a login code, which is good for one exchange. */
  readonly once?: boolean;
}

/** All that are live. */
export interface TokensDocument {
  readonly tokens: readonly TokenDocument[];
  readonly seq: number;
}

/** A token that was just made, with its secret: it is shown here and never again. */
export interface IssuedDocument {
  readonly token: string;
  readonly role: Role;
  /** What is sent as `Authorization: Bearer …`. */
  readonly secret: string;
  readonly expires_at_ms: number;
}

/** Who asks, as the server sees it. */
export interface SessionDocument {
  readonly token: TokenDocument;
  readonly fleet: string;
  readonly name: string;
}
