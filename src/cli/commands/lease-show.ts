import type { Named } from "../../library/explain/words.ts";
import { leaseIn, type LeaseView } from "../../library/lease/view.ts";
import { Refused } from "../../library/refused.ts";
import { notAsWorker } from "../as-worker.ts";
import type { Call, Said } from "../call.ts";
import { leaseIdText } from "../ground/asked.ts";
import { documentOf, portraitText } from "../ground/lease-said.ts";
import { leaseTable } from "../ground/lease-table.ts";
import { isLapsing, liveIn, namesFor, readHeld, readLapsing } from "../ground/leases.ts";
import type { Given, Verb } from "../verb.ts";

const show: Verb = {
  name: "lease show",
  summary: "Show everything that is known of a lease, also after its end",
  details:
    "Shows a lease by its id: holder, ground, fence, until when it gives its right, whose it was " +
    "before, or how it ended. A worker may ask about its own and those of the workers below it.",
  parameters: "<id>",
  examples: ["stint lease show l-17", "stint lease show l-17 --json"],
  isForWorkers: true,
  run: runShow,
};

const list: Verb = {
  name: "lease ls",
  summary: "List the live leases",
  details:
    "Lists the leases that give a right now, in the order of their grants. With --all those that " +
    "have ended too, and how: that reads the whole journal. Those whose ground a sandbox has " +
    "mounted still are lapsing: they give no right, and their ground is nobody's until it is " +
    "taken. A worker is shown its own, the live ones.",
  options: [{ flags: "--all", description: "those that have ended as well" }],
  examples: ["stint lease ls", "stint lease ls --all --json"],
  isForWorkers: true,
  run: runList,
};

/** The verbs that show leases. */
export const VERBS: readonly Verb[] = [show, list];

async function runShow(call: Call, { parameters }: Given): Promise<Said> {
  const id = leaseIdText(parameters[0]);
  const { lease, named, seq } = await findLease(call, id);
  return {
    data: { lease: documentOf(lease) },
    text: portraitText(lease, { isColour: call.isColour, named }),
    ...(seq === undefined ? {} : { seq }),
  };
}

/** A lease as it was found, and the names of workers. */
interface Found {
  readonly lease: LeaseView;
  readonly named: Named;
  readonly seq?: number;
}

async function findLease(call: Call, id: string): Promise<Found> {
  if (call.workerTokenFile !== undefined) {
    const { ownLease } = await import("../ground/own-leases.ts");
    return { lease: leaseIn(await ownLease(call, id)), named: () => undefined };
  }
  const reading = await call.read();
  const { seq } = reading;
  const live = liveIn(reading).find((lease) => lease.id === id);
  if (live !== undefined) return { lease: live, named: await namesFor(call, reading, [live]), seq };
  const fleet = await call.openFleet({ supervisor: "none", steward: false });
  const ended = await fleet.findLease(id);
  if (ended !== undefined)
    return { lease: ended, named: await namesFor(call, reading, [ended]), seq };
  const message = `a lease of this fleet must be named, none ever had the id ${id}`;
  throw new Refused({ code: "lease_unknown", message, facts: { leaseId: id } });
}

async function runList(call: Call, { options }: Given): Promise<Said> {
  const isAll = options["all"] === true;
  const { leases, named } = isAll ? await listEver(call) : await readHeld(call);
  const lapsing = isAll ? leases.filter(isLapsing) : await readLapsing(call);
  const data = { leases: leases.map(documentOf), lapsing: lapsing.map(documentOf) };
  const shown = isAll ? leases : [...leases, ...lapsing];
  if (shown.length > 0) return { data, text: leaseTable(call, shown, { isAll, named }) };
  const who =
    call.workerTokenFile === undefined
      ? "no lease is held"
      : "you hold no lease; others' are not shown";
  const none = `${who}; acquire one: \`${howToAcquire(call)}\``;
  return { data, text: isAll ? "no lease was ever granted" : none };
}

/** What a worker may do instead. */
const OWN_LEASES =
  "a worker is shown its live leases by `stint lease ls`, and any that it had by " +
  "`stint lease show ID`";

/** A worker is its own holder, and is told of no lanes: a region of its rights is what it knows. */
function howToAcquire({ workerTokenFile }: Call): string {
  return workerTokenFile === undefined
    ? "stint lease acquire --region 'src/**' --holder NAME"
    : "stint lease acquire --region 'src/**'";
}

async function listEver(call: Call): ReturnType<typeof readHeld> {
  if (call.workerTokenFile !== undefined) throw notAsWorker("lease ls --all", OWN_LEASES);
  const fleet = await call.openFleet({ supervisor: "none", steward: false });
  const leases = await fleet.leases({ all: true });
  return { leases, named: await namesFor(call, await call.read(), leases) };
}
