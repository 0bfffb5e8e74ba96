import type { TokenRole } from "./token.ts";

/** The body of each command about access tokens, by its kind. */
export interface AccessCommandMap {
  readonly "token.issue": {
    /** A fresh id from the caller's random source: `t-` and 16 base32 letters. */
    readonly token: string;
    readonly role: TokenRole;
    readonly label?: string;
    /** The one name that it may beat for: where the role is `service`, and there alone. */
    readonly service?: string;
    /** The one worker that it speaks for: where the role is `worker`, and there alone. */
    readonly worker?: string;
    /** SHA-256 of the secret, lowercase hex. */
    readonly hash: string;
    readonly lifetime_ms: number;
    /** A login code: of the roles `viewer` and `operator`, for a minute at most. */
    readonly once?: true;
  };
  /** Spends a login code, once, for a token of its role. */
  readonly "token.exchange": {
    readonly token: string;
    readonly into: {
      readonly token: string;
      readonly hash: string;
      readonly lifetime_ms: number;
    };
  };
  readonly "token.revoke": { readonly token: string };
}
