import { describe, expect, test } from "vitest";
import { findByHash, isTokenLiveAt } from "../../../src/kernel/access/tokens.ts";
import {
  admit,
  after,
  create,
  exited,
  given,
  idOf,
  kill,
  recover,
  start,
  tick,
  type Play,
} from "../../support/scenario.ts";
import {
  exchange,
  hashOf,
  issue,
  revokeToken,
  tokenOf,
  TOKENS_MAX,
} from "../../support/service-scenario.ts";

const born = create();

function idsIn(play: Play): readonly string[] {
  return [...play.state.access.keys()];
}

describe("[AT1] a token is issued by an operator, and found by its secret's hash", () => {
  test("with its role, its end and what it is for", () => {
    const play = given(born)
      .when(issue("a", { role: "service", service: "api", label: "ci" }))
      .happens({
        kind: "token.issued",
        data: {
          token: tokenOf("a"),
          role: "service",
          service: "api",
          label: "ci",
          hash: hashOf("a"),
          expires_at_ms: 1_700_000_060_000,
        },
      });
    expect(findByHash(play.state, hashOf("a"))?.token).toBe(tokenOf("a"));
    expect(findByHash(play.state, hashOf("b"))).toBeUndefined();
  });

  test("of a killed fleet too, which must stay readable", () => {
    const { play } = given(born, kill).when(issue("a"));
    expect(idsIn(play)).toEqual([tokenOf("a")]);
  });

  test("an id is used once, and so is a secret", () => {
    given(born, issue("a"))
      .when(issue("a", { hash: hashOf("b") }))
      .refused("token_taken");
    given(born, issue("a"))
      .when(issue("b", { hash: hashOf("a") }))
      .refused("token_taken");
    given(born, issue("a"), revokeToken("a"))
      .when(issue("a", { hash: hashOf("b") }, tokenOf("a")))
      .refused("token_taken");
  });
});

test("[AT2] from its end on a token is none, and the next entry about tokens drops it", () => {
  const { play } = given(born, issue("a"), after(59_999));
  const token = play.state.access.get(tokenOf("a"));
  if (token === undefined) throw new Error("the token must be in the state");
  expect(isTokenLiveAt(token, play.atMs)).toBe(true);
  expect(isTokenLiveAt(token, play.atMs + 1)).toBe(false);
  given(born, issue("a"), after(59_999))
    .when(revokeToken("a"))
    .happens({
      kind: "token.revoked",
      data: { token: tokenOf("a") },
    });
  given(born, issue("a"), after(60_000)).when(revokeToken("a")).refused("token_ended");
  const later = given(born, issue("a"), after(60_000), tick, issue("b")).play;
  expect(idsIn(later)).toEqual([tokenOf("b")]);
});

test("[AT3] so many live at most; those that have expired do not count", () => {
  const many = Array.from({ length: TOKENS_MAX }, (_, index) => issue(`n${index}`));
  given(born, many).when(issue("a")).refused("tokens_full");
  const { play } = given(born, many, after(60_000)).when(issue("a"));
  expect(idsIn(play)).toEqual([tokenOf("a")]);
  const freed = given(born, many, revokeToken("n0")).when(issue("a")).play;
  expect(idsIn(freed)).toHaveLength(TOKENS_MAX);
});

describe("[AT4] a login code is exchanged once, for a token of its role", () => {
  const code = [born, issue("code", { role: "operator", once: true, label: "tab" })] as const;

  test("and is spent by that", () => {
    const { play } = given(...code).when(exchange("code", "a"));
    expect(idsIn(play)).toEqual([tokenOf("a")]);
    expect(findByHash(play.state, hashOf("a"))).toMatchObject({ role: "operator", label: "tab" });
    expect(findByHash(play.state, hashOf("a"))).not.toHaveProperty("once");
    given(...code, exchange("code", "a"))
      .when(exchange("code", "b", tokenOf("code")))
      .refused("token_ended");
  });

  test.each([
    ["token_ended", [...code, after(60_000)], exchange("code", "a")],
    ["token_ended", [born, issue("b")], exchange("b", "a")],
    ["token_unknown", [born], exchange("code", "a")],
    ["token_taken", [...code, issue("a")], exchange("code", "a")],
    ["token_taken", [...code, issue("a"), revokeToken("a")], exchange("code", "a", tokenOf("a"))],
  ] as const)("or refused, as %s", (refused, before, step) => {
    given(...before)
      .when(step)
      .refused(refused);
  });

  test("it can be revoked before", () => {
    given(...code, revokeToken("code"))
      .when(exchange("code", "a", tokenOf("code")))
      .refused("token_ended");
  });
});

describe("[AT5] a worker's token ends with it", () => {
  const ofP = issue("a", { role: "worker", worker: idOf("p"), lifetime_ms: 86_400_000 });

  test("by its end, and by its lapse", () => {
    expect(idsIn(given(born, start("p"), ofP).play)).toEqual([tokenOf("a")]);
    expect(idsIn(given(born, start("p"), ofP, exited("p")).play)).toEqual([]);
    expect(idsIn(given(born, admit("p"), ofP, after(30_000), tick).play)).toEqual([]);
  });
});

test("[AT6] after a loss no token is good: it may have been revoked in the lost part", () => {
  expect(idsIn(given(born, issue("a"), recover([])).play)).toEqual([]);
});
