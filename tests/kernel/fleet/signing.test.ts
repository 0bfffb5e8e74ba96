import { test } from "vitest";
import { ask, create, given, KEY } from "../../support/scenario.ts";

const sign = (key_id: string): ReturnType<typeof ask> =>
  ask("journal.sign", {
    at_seq: 1,
    head_hash: "h",
    state_hash: "s",
    key_id,
    signature: "signature",
  });
const other = { ...KEY, key_id: "k2" };

test("[KF7] a head is signed by the key in force at that entry, and by no other", () => {
  given(create()).when(sign(KEY.key_id)).happens("journal.signed");
  given(create(), ask("key.rotate", { key: other }))
    .when(sign(KEY.key_id))
    .refused("not_authorised", { expected: "k2", got: KEY.key_id });
  given(create(), ask("key.rotate", { key: other }))
    .when(sign("k2"))
    .happens("journal.signed");
});
