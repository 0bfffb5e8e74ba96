import { describe, expect, test } from "vitest";
import type { Actor } from "../../src/kernel/actor.ts";
import { checkAuthority } from "../../src/kernel/authority.ts";
import type { Command, CommandKind } from "../../src/kernel/command.ts";
import { COMMAND_KINDS } from "../../src/protocol/problem.ts";
import { BODIES, commandOf } from "../support/commands.ts";
import { idOf, OPERATOR, self, SUPERVISOR, SYSTEM } from "../support/scenario.ts";

const worker = idOf("a");

const actors = {
  operator: OPERATOR,
  supervisor: SUPERVISOR,
  system: SYSTEM,
  self: self("a"),
  other: self("b"),
} as const satisfies Record<string, Actor>;

type Role = keyof typeof actors;

const operatorOnly: readonly Role[] = ["operator"];
const observers: readonly Role[] = ["operator", "supervisor", "system"];

/** Who may give what: AU1 and I9. */
const may: Readonly<Record<CommandKind, readonly Role[]>> = {
  "fleet.create": operatorOnly,
  "fleet.pause": operatorOnly,
  "fleet.resume": operatorOnly,
  "fleet.kill": operatorOnly,
  "fleet.recover": operatorOnly,
  "contract.enact": operatorOnly,
  "key.rotate": operatorOnly,
  "worker.admit": ["operator", "self"],
  "worker.register": ["operator", "supervisor", "self"],
  "worker.checkpoint": ["operator", "self"],
  "worker.observe": observers,
  "worker.stop": ["operator", "self"],
  "worker.exited": observers,
  "worker.hit_limit": ["supervisor"],
  "worker.write_off": operatorOnly,
  "worker.quarantine": operatorOnly,
  "worker.unquarantine": operatorOnly,
  "worker.note": ["operator", "supervisor", "self"],
  "budget.charge": ["operator", "supervisor", "self"],
  "lanes.enact": operatorOnly,
  "lane.announce": ["operator", "supervisor", "system", "self"],
  "lease.acquire": ["operator", "self"],
  "lease.renew": ["operator", "self"],
  "lease.release": ["operator", "self"],
  "lease.narrow": ["operator", "self"],
  "lease.split": ["operator", "self"],
  "lease.hand_over": ["operator", "self"],
  "lease.revoke": operatorOnly,
  "place.keep": ["operator", "self"],
  "place.leave": ["operator", "self"],
  "place.cancel": operatorOnly,
  "lease.mount": ["supervisor"],
  "lease.fence": ["supervisor"],
  "condition.trip": ["supervisor"],
  "condition.fail": ["supervisor"],
  "armed.check": ["supervisor"],
  "roster.enact": operatorOnly,
  "roll.observe": ["supervisor"],
  "roll.forget": ["supervisor"],
  "control.request": operatorOnly,
  "service.note": operatorOnly,
  "token.issue": operatorOnly,
  "token.exchange": ["operator", "system"],
  "token.revoke": operatorOnly,
  "halt.request": ["operator", "supervisor", "system", "self", "other"],
  "clock.tick": observers,
  "clock.accept": operatorOnly,
  "refusals.suppress": observers,
  "journal.sign": observers,
  "receipt.record": observers,
};

describe("[AU1] who may give a command (replication B6)", () => {
  test.each(COMMAND_KINDS.map((kind) => ({ kind, roles: may[kind] })))(
    "$kind: $roles",
    ({ kind, roles }) => {
      const allowed = (Object.keys(actors) as Role[]).filter(
        (role) => checkAuthority(actors[role], commandOf(kind)) === null,
      );
      expect(new Set(allowed)).toStrictEqual(new Set(roles));
    },
  );
});

test("[AU2] a refusal names the command, who may give it, and who tried", () => {
  expect(checkAuthority(self("b"), commandOf("worker.stop"))).toStrictEqual({
    code: "not_authorised",
    message: `worker.stop must come from operator or worker ${worker}, got worker ${idOf("b")}`,
    facts: {
      command: "worker.stop",
      expected: ["operator", `worker ${worker}`],
      got: `worker ${idOf("b")}`,
    },
  });
});

test("[AU3] a worker is known by its credential's id: without one it is nobody", () => {
  const nameless: Actor = { kind: "worker", via: "socket" };
  expect(checkAuthority(nameless, commandOf("worker.stop"))?.code).toBe("not_authorised");
  const root = { ...BODIES["worker.admit"], parent: null };
  const admitRoot: Command = { kind: "worker.admit", data: root };
  expect(checkAuthority(self("a"), admitRoot)?.code).toBe("not_authorised");
  expect(checkAuthority(OPERATOR, admitRoot)).toBeNull();
  const operatorNamedLikeIt: Actor = { ...SUPERVISOR, id: worker };
  expect(checkAuthority(operatorNamedLikeIt, commandOf("worker.stop"))?.code).toBe(
    "not_authorised",
  );
});

test("[AU4] what is no manifest may be presented by anybody, to be told so", () => {
  const data = { manifest: null, envelope: "form" } as const;
  expect(checkAuthority(self("b"), { kind: "worker.register", data })).toBeNull();
});
