import type { AccessToken } from "./token.ts";

/** The body of each event about access tokens, by its kind. */
export interface AccessEventMap {
  readonly "token.issued": Omit<AccessToken, "issued_at_ms">;
  /** A login code is spent, and a token of its role is there in its place. */
  readonly "token.exchanged": {
    readonly token: string;
    readonly into: Pick<AccessToken, "token" | "role" | "hash" | "expires_at_ms" | "label">;
  };
  readonly "token.revoked": { readonly token: string };
}
