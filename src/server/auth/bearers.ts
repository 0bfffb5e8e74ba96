import type { AccessToken } from "../../kernel/access/token.ts";
import type { State } from "../../kernel/state.ts";
import { hashSecret } from "../../library/access/fresh-token.ts";

/** Finds tokens by what their bearers show. What is compared is a hash, so time says nothing. */
export class Bearers {
  readonly #state: () => State;
  readonly #nowMs: () => number;
  /** By hash, of the tokens of one state: they change far more seldom than requests come. */
  #byHash = new Map<string, AccessToken>();
  #of: State["access"] | undefined;

  constructor(state: () => State, nowMs: () => number) {
    this.#state = state;
    this.#nowMs = nowMs;
  }

  /** The live token of a secret that may be shown; a login code is none. */
  find(secret: string): AccessToken | undefined {
    const token = this.#findAny(secret);
    return token === undefined || token.once === true ? undefined : token;
  }

  /** The live login code of a secret. */
  findCode(secret: string): AccessToken | undefined {
    const token = this.#findAny(secret);
    return token?.once === true ? token : undefined;
  }

  /** Whether a token that was found before still is one. */
  isGood({ token: id, hash }: AccessToken): boolean {
    const now = this.#state().access.get(id);
    return now !== undefined && now.hash === hash && this.#isLive(now);
  }

  #findAny(secret: string): AccessToken | undefined {
    const { access } = this.#state();
    if (access !== this.#of) {
      this.#byHash = new Map([...access.values()].map((one) => [one.hash, one]));
      this.#of = access;
    }
    const found = this.#byHash.get(hashSecret(secret));
    return found !== undefined && this.#isLive(found) ? found : undefined;
  }

  #isLive({ expires_at_ms }: AccessToken): boolean {
    return this.#nowMs() < expires_at_ms;
  }
}
