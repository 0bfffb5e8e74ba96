// Two servers as two processes on one fleet in a file.
import { afterEach, beforeEach, expect, test } from "vitest";
import { StintClient } from "../../src/client.ts";
import { serveFolder, type ServedFolder } from "./serving-process.ts";

let served: ServedFolder;

beforeEach(async () => {
  served = await serveFolder();
}, 120_000);

afterEach(() => served.end(), 120_000);

/** Two servers, with a client of each. */
async function twice() {
  const one = await served.up();
  const other = await served.up();
  const of = ({ said }: typeof one): StintClient =>
    new StintClient({ url: said.url, token: served.secret });
  const clients: readonly [StintClient, StintClient] = [of(one), of(other)];
  return { clients, otherUrl: other.said.url };
}

/** The numbers of the entries that a client hears, up to one; `open` is called when it listens. */
async function follow(client: StintClient, lastSeq: () => number, open: () => void) {
  const seqs: number[] = [];
  for await (const event of client.events({ after: 0 })) {
    if (event.kind === "open") open();
    if (event.kind === "entry") seqs.push(event.entry.seq);
    if ((seqs.at(-1) ?? 0) >= lastSeq()) return seqs;
  }
  throw new Error("the events must come to the last entry, they ended");
}

test("[HA14] two processes on one fleet agree, whichever is asked while both write", async () => {
  const { clients } = await twice();
  const opened = clients.map(() => Promise.withResolvers<void>());
  let lastSeq = Infinity;
  const following = clients.map((client, index) =>
    follow(
      client,
      () => lastSeq,
      () => opened[index]?.resolve(),
    ),
  );
  await Promise.all(opened.map(({ promise }) => promise));
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? clients[0] : clients[1]).command("halt.request", {
        handle: `h${index}`,
        reason: "both write",
      }),
    ),
  );
  ({ seq: lastSeq } = await clients[0].fleet());
  // Who waits for more than there is at this moment is woken by one entry more.
  await clients[1].command("halt.request", { handle: "last", reason: "the end" });
  const [here, there] = await Promise.all(following);
  const through = (seqs: readonly number[] | undefined): readonly number[] =>
    (seqs ?? []).slice(0, lastSeq);
  expect(through(here)).toEqual(Array.from({ length: lastSeq }, (_, index) => index + 1));
  expect(through(there)).toEqual(through(here));
  const [fleet, same] = await Promise.all(clients.map((client) => client.fleet()));
  expect(same).toEqual(fleet);
  const rolls = await Promise.all(clients.map((client) => client.roll()));
  const [names, others] = rolls.map(({ sections }) => sections.expected.map(({ name }) => name));
  expect(names).toContain("stint");
  expect(others).toEqual(names);
}, 180_000);

test("[HA14] what one process issues or revokes holds at the other at once", async () => {
  const { clients, otherUrl } = await twice();
  const [one, other] = clients;
  const { secret, token } = await one.issueToken({ role: "viewer", lifetime_ms: 60_000 });
  const viewer = new StintClient({ url: otherUrl, token: secret });
  await expect(viewer.fleet()).resolves.toMatchObject({ name: "served" });
  await other.pause("looking");
  await expect(one.fleet()).resolves.toMatchObject({ status: "paused" });
  await one.revokeToken(token);
  await expect(viewer.fleet()).rejects.toMatchObject({ problem: { status: 401 } });
}, 180_000);
