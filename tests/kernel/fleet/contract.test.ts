import { describe, expect, test } from "vitest";
import { DEFAULT_CONTRACT } from "../../../src/kernel/fleet/contract.ts";
import { hashContract } from "../../../src/kernel/fleet/fleet.ts";
import { contractSchema } from "../../../src/protocol/contract.ts";
import { admit, ask, create, enact, exited, given, start } from "../../support/scenario.ts";
import { parserOf } from "../../../src/protocol/parse.ts";

const parseWholeContract = parserOf("contract", contractSchema);

describe("enacting", () => {
  test("[CT1] an enacted contract is in force from its entry on, under its hash", () => {
    const play = given(create({ max_replicas: 1 }), start("a"))
      .when(enact({ max_replicas: 2 }))
      .happens("contract.enacted");
    expect(play.state.contract_hash).toBe(hashContract(play.state.contract));
    expect(play.take(admit("b"))?.refusal).toBeNull();
  });

  test("[CT1] the same contract writes nothing, whatever the order of its fields", () => {
    const reversed = Object.fromEntries(Object.entries(DEFAULT_CONTRACT).toReversed());
    const contract = parseWholeContract(reversed);
    given(create()).when(ask("contract.enact", { contract })).happens();
  });

  test("[CT2] a tighter one reports the excess and admits nothing until use has fallen", () => {
    const play = given(create(), start("a"), start("b"), start("c"))
      .when(enact({ max_replicas: 2, max_total: 3 }))
      .happens({ kind: "contract.enacted", data: { excess: { replicas: 1, total: 0 } } });
    const codes: string[] = [];
    const attempt = (): void => {
      codes.push(play.take(admit("d"))?.refusal?.code ?? "granted");
    };
    attempt();
    play.take(exited("a"));
    attempt();
    play.take(exited("b"));
    attempt();
    play.take(enact({ max_total: 4 }));
    attempt();
    expect(codes).toStrictEqual(["max_replicas", "max_replicas", "max_total", "granted"]);
    expect(play.state.live_count).toBe(2);
  });

  test("[CT2] the excess is counted for both limits, and is nothing where use is below", () => {
    given(create(), start("a"), start("b"), exited("b"))
      .when(enact({ max_replicas: 1, max_total: 1 }))
      .happens({ kind: "contract.enacted", data: { excess: { replicas: 0, total: 1 } } });
  });

  test("[CT3] a condition is checked when enacted, before it can decide (replication A19)", () => {
    for (const when of ["unknown_name > 1", "active_count", "active_count >", '"a" + 1 == 2']) {
      const stop = [
        { name: "fine", when: "active_count > 1" },
        { name: "broken", when },
      ];
      given(create())
        .when(enact({ stop }))
        .refused("contract_invalid", { condition: "broken", when });
      given().when(create({ stop })).refused("contract_invalid", { condition: "broken" });
    }
  });

  test("[CT4] conditions are hashed with the contract into manifests (replication A19)", () => {
    const { play } = given(create({ stop: [{ name: "x", when: "active_count > 9" }] }), start("a"));
    const before = play.state.contract_hash;
    play.take(enact({ stop: [{ name: "x", when: "active_count > 8" }] }));
    expect(play.state.contract_hash).not.toBe(before);
    expect(play.worker("a").contract_hash).toBe(before);
  });

  test("[CT5] a new condition binds admissions, the living run on (replication A19)", () => {
    const play = given(create(), start("a"), start("b"))
      .when(enact({ stop: [{ name: "two", when: "active_count >= 2" }] }))
      .happens("contract.enacted");
    expect(play.state.live_count).toBe(2);
    expect(play.take(admit("c"))?.refusal?.code).toBe("stop_condition");
  });
});
