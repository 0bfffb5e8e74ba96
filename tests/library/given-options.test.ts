import { InputError, sqlite, type Fleet } from "stint";
import { expect, test } from "vitest";
import { entriesOf, openRoomy, rejectionOf } from "./rig.ts";

type Call = (fleet: Fleet, id: string) => unknown;

const MISSPELT: readonly [string, Call, RegExp][] = [
  ["stop", (fleet, id) => fleet.stop(id, { graceMS: 5 } as never), /graceMS .*mean graceMs\?/],
  ["kill", (fleet) => fleet.kill({ reason: "x", settle: 5 } as never), /settle .*mean settleMs\?/],
  ["pause", (fleet) => fleet.pause({ reasons: "x" } as never), /reasons .*mean reason\?/],
  [
    "resume",
    (fleet) => fleet.resume({ why: "x" } as never),
    /why must be absent \(no such option\)/,
  ],
  ["writeOff", (fleet, id) => fleet.writeOff(id, { raeson: "x" } as never), /raeson .*mean reason/],
  [
    "deregister",
    (fleet, id) => fleet.deregister(id, { tree: true } as never),
    /tree must be absent/,
  ],
  ["audit", (fleet) => fleet.audit({ progress: 1 } as never), /progress must be absent/],
  [
    "revoke",
    (fleet) => fleet.revoke("l-1", { reason: "x", runid: "r" } as never),
    /runid .*mean runId\?/,
  ],
  ["lease", async (fleet) => fleet.lease("l-1", { tokn: "x" } as never), /tokn .*mean token\?/],
  [
    "adopt",
    (fleet) => fleet.adopt({ lease: "l-1", holder: "anna", orphaned: true } as never),
    /orphaned .*mean orphan\?/,
  ],
  ["leases", async (fleet) => fleet.leases({ al: true } as never), /al .*mean all/],
  ["workers", async (fleet) => fleet.workers({ al: true } as never), /al .*mean all/],
  [
    "entries",
    async (fleet) => {
      for await (const entry of fleet.entries({ form: 3 } as never)) return entry;
      return undefined;
    },
    /form .*mean from\?/,
  ],
];

test.each(MISSPELT)(
  "[LB94] a misspelt option of %s is named, and nothing is done",
  async (...row) => {
    const [, call, message] = row;
    const fleet = await openRoomy();
    const worker = await fleet.start();
    const before = await entriesOf(fleet);
    const error = await rejectionOf(Promise.resolve(call(fleet, worker.id)));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toMatch(/^options\./);
    expect(error.message).toMatch(message);
    expect(await entriesOf(fleet)).toEqual(before);
  },
);

test("[LB94] a misspelt option of a store is named", () => {
  expect(() => sqlite({ dir: "x", folder: "y" } as never)).toThrow(
    /^options\.folder must be absent/,
  );
  expect(() => sqlite({ dri: "x" } as never)).toThrow(/did you mean dir\?/);
});

const WRONG: readonly [string, Call, RegExp][] = [
  ["pause", (fleet) => fleet.pause({ reason: 5 } as never), /^options\.reason must be text/],
  ["kill", (fleet) => fleet.kill({ reason: "" }), /^options\.reason must be text/],
  ["note", (fleet, id) => fleet.note(id, ""), /^note\.text must be text/],
  ["halt", (fleet) => fleet.requestHalt({ handle: "h" } as never), /^request\.reason must be text/],
  [
    "quarantine",
    (fleet, id) => fleet.quarantine(id, { reason: "x", severity: "odd" } as never),
    /^options\.severity must be one of/,
  ],
];

test.each(WRONG)("[LB95] what is wrong with a %s is named as it was passed", async (...row) => {
  const [, call, message] = row;
  const fleet = await openRoomy();
  const worker = await fleet.start();
  const error = await rejectionOf(Promise.resolve(call(fleet, worker.id)));
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).toMatch(message);
});

test("[LB96] a key that would be a prototype's is refused where names are free", async () => {
  const fleet = await openRoomy();
  const odd = JSON.parse('{ "__proto__": "x" }') as Record<string, string>;
  const start = fleet.start({ run: ["/bin/true"], env: odd });
  expect((await rejectionOf(start)).message).toMatch(/^options\.env must be .*"__proto__"/);
  expect(() => fleet.metric("m", 1, odd)).toThrow(/^labels must be .*"__proto__"/);
});
