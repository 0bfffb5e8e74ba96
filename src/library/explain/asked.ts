import type { Command, CommandKind, CommandMap } from "../../kernel/command.ts";
import { UNSEEN } from "../recovery/unseen.ts";
import { ASKED_OF_LEASES } from "./lease-words.ts";
import { ASKED_OF_PLACES } from "./place-words.ts";
import { ASKED_OF_SERVICES } from "./roster-words.ts";
import {
  budgetWords,
  hitWords,
  instantWords,
  listWords,
  quoted,
  workerWords,
  type Named,
} from "./words.ts";

type Sentences = {
  readonly [K in CommandKind]: (data: CommandMap[K], named: Named) => string;
};

/** What was asked, to go on from "… asked": one clause each, with what was given. */
const ASKED: Sentences = {
  "fleet.create": ({ fleet, name }) => `to create the fleet ${fleet}, named ${quoted(name)}`,
  "fleet.pause": ({ reason }) => `to pause the fleet, giving as the reason ${quoted(reason)}`,
  "fleet.resume": ({ reason }) => `to resume the fleet, giving as the reason ${quoted(reason)}`,
  "fleet.kill": ({ reason }) =>
    `to kill the fleet for good, giving as the reason ${quoted(reason)}`,
  "fleet.recover": ({ remembered_seq, remembered_hash, reason, workers }) =>
    (remembered_hash === UNSEEN
      ? "to go on with an imported journal, "
      : `to go on without what was lost up to entry ${remembered_seq}, with ${workers.length} ` +
        "manifests of it at hand, ") + `giving as the reason ${quoted(reason)}`,
  "contract.enact": () => "to put another contract in force",
  "key.rotate": ({ key }) => `to rotate the fleet's key to ${key.key_id}`,
  "worker.admit": (data, named) => askedAdmission(data, named),
  "worker.register": ({ manifest, envelope }) =>
    manifest === null
      ? `to take up a manifest that could not be read (${envelope})`
      : `to take up the manifest of ${manifest.instance} (${quoted(manifest.name)}), issued ` +
        instantWords(manifest.issued_at_ms),
  "worker.checkpoint": ({ worker }, named) =>
    `to replace the recorded state of ${workerWords(worker, named)}`,
  "worker.observe": (data, named) => {
    const beats = data.beat_count === undefined ? "no beat" : `${data.beat_count} beats`;
    return (
      `to take note of ${workerWords(data.worker, named)}: ${beats} counted, silent for ` +
      `${data.silent_ms} ms, watched for ${data.watched_ms} ms, its sandbox ${data.seen}`
    );
  },
  "worker.stop": ({ worker, reason, tree, detail, grace_ms }, named) =>
    `to stop ${workerWords(worker, named)}${tree ? " and its descendants" : ""} as ${reason}` +
    (grace_ms === undefined ? "" : ` within ${grace_ms} ms`) +
    (detail === undefined ? "" : ` (${quoted(detail)})`),
  "worker.exited": ({ worker, evidence }, named) =>
    `to record that ${workerWords(worker, named)} has ended, on evidence of grade ` +
    evidence.grade,
  "worker.hit_limit": ({ worker, limits_hit }, named) =>
    `to record that ${workerWords(worker, named)} hit ${listWords(limits_hit.map(hitWords))}`,
  "worker.write_off": ({ worker, reason }, named) =>
    `to declare ${workerWords(worker, named)} ended, giving as the reason ${quoted(reason)}`,
  "worker.quarantine": ({ worker, reason, severity }, named) =>
    `to put ${workerWords(worker, named)} into quarantine, severity ${severity}, because ` +
    quoted(reason),
  "worker.unquarantine": ({ worker, resolution }, named) =>
    `to lift the quarantine of ${workerWords(worker, named)}, resolved as ${quoted(resolution)}`,
  "worker.note": ({ worker }, named) =>
    `to add a note to the record of ${workerWords(worker, named)}`,
  "budget.charge": ({ worker, amounts }, named) =>
    `to charge ${workerWords(worker, named)} with ${budgetWords(amounts)}`,
  ...ASKED_OF_LEASES,
  ...ASKED_OF_PLACES,
  ...ASKED_OF_SERVICES,
  "condition.trip": ({ condition, worker, held_ms }, named) =>
    `that the kill condition ${quoted(condition)} take effect` +
    (worker === undefined ? "" : ` on ${workerWords(worker, named)}`) +
    `, which it saw hold for ${held_ms} ms`,
  "condition.fail": ({ condition, worker }, named) =>
    `to record that the kill condition ${quoted(condition)} cannot be decided` +
    (worker === undefined ? "" : ` about ${workerWords(worker, named)}`),
  "armed.check": ({ rung, took_ms }) =>
    `to record what became of a canary, contained by ${rung}, that it has killed in ${took_ms} ms`,
  "halt.request": ({ handle, reason, lease }) =>
    `that ${quoted(handle)} be asked to halt` +
    `${lease === undefined ? "" : ` for ${lease}`}, because ${quoted(reason)}`,
  "clock.accept": ({ reason, wall_ms }) =>
    `to take the host's clock as it is` +
    (wall_ms === undefined ? "" : `, ${instantWords(wall_ms)}`) +
    `, giving as the reason ${quoted(reason)}`,
  "clock.tick": () => "what time alone has ended",
  "refusals.suppress": ({ actor_key, count }) =>
    `to record that ${count} further refusals of ${actor_key} were not journaled`,
  "journal.sign": ({ at_seq }) => `to record a signature over the journal up to entry ${at_seq}`,
  "receipt.record": () => "to record a receipt",
};

function askedAdmission(data: CommandMap["worker.admit"], named: Named): string {
  const { name, instance, parent, reason, budget, network, depth, degraded = [] } = data;
  const wishes = [
    ...(Object.keys(budget).length === 0 ? [] : [`budget ${budgetWords(budget)}`]),
    ...(network === undefined ? [] : [`network ${network}`]),
    ...(depth === undefined ? [] : [`claiming depth ${depth}`]),
    ...(degraded.length === 0 ? [] : [`in a sandbox that does not hold ${degraded.join(", ")}`]),
  ];
  const place = parent === null ? "as a root" : `below ${workerWords(parent, named)}`;
  const so = wishes.length === 0 ? "" : ` with ${wishes.join("; ")}`;
  return (
    `for a worker ${quoted(name)} (${instance}) ${place}${so}, giving as the reason ` +
    quoted(reason)
  );
}

/** What a command asks, as a clause that goes on from "… asked". */
export function askedWords(command: Command, named: Named): string {
  // A kind's own function takes a kind's own data; the pair is that of one command.
  const say = ASKED[command.kind] as (data: unknown, named: Named) => string;
  return say(command.data, named);
}
