/** What a token lets its bearer be. */
export const TOKEN_ROLES = ["viewer", "operator", "worker", "service"] as const;

/** What a token lets its bearer be. */
export type TokenRole = (typeof TOKEN_ROLES)[number];

/**
 * A right to ask over the network. The token's text is a secret of its bearer, here is its hash
 * alone. From `expires_at_ms` on it is none, and every reader compares that with its clock:
 * what has expired may still stand here.
 */
export interface AccessToken {
  /** `t-` and 16 base32 letters: an id, no secret. */
  readonly token: string;
  readonly role: TokenRole;
  readonly label?: string;
  /** The one name that it may beat for; of the role `service` alone. */
  readonly service?: string;
  /** The one worker that it speaks for; of the role `worker` alone. */
  readonly worker?: string;
  /** SHA-256 of the secret, lowercase hex. */
  readonly hash: string;
  /** Journal time, ms since 1970. */
  readonly issued_at_ms: number;
  readonly expires_at_ms: number;
  /** A login code: good for being exchanged once, and for nothing else. */
  readonly once?: true;
}
