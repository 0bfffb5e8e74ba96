import type { Verb, VerbFile } from "./verb.ts";

/** Loads the file that a verb stands in. */
type Load = () => Promise<VerbFile>;

const init: Load = () => import("./commands/init.ts");
const run: Load = () => import("./commands/run.ts");
const spawn: Load = () => import("./commands/spawn.ts");
const workers: Load = () => import("./commands/workers.ts");
const worker: Load = () => import("./commands/worker.ts");
const liveness: Load = () => import("./commands/liveness.ts");
const roll: Load = () => import("./commands/roll.ts");
const beat: Load = () => import("./commands/beat.ts");
const stop: Load = () => import("./commands/stop.ts");
const kill: Load = () => import("./commands/kill.ts");
const pause: Load = () => import("./commands/pause.ts");
const resume: Load = () => import("./commands/resume.ts");
const down: Load = () => import("./commands/down.ts");
const logs: Load = () => import("./commands/logs.ts");
const receipt: Load = () => import("./commands/receipt.ts");
const explain: Load = () => import("./commands/explain.ts");
const why: Load = () => import("./commands/why.ts");
const whatIf: Load = () => import("./commands/what-if.ts");
const contract: Load = () => import("./commands/contract.ts");
const fleet: Load = () => import("./commands/fleet.ts");
const journal: Load = () => import("./commands/journal.ts");
const journalReplay: Load = () => import("./commands/journal-replay.ts");
const journalCompact: Load = () => import("./commands/journal-compact.ts");
const archive: Load = () => import("./commands/archive.ts");
const metrics: Load = () => import("./commands/metrics.ts");
const leaseAcquire: Load = () => import("./commands/lease-acquire.ts");
const leaseKeep: Load = () => import("./commands/lease-keep.ts");
const leasePass: Load = () => import("./commands/lease-pass.ts");
const leaseCheck: Load = () => import("./commands/lease-check.ts");
const leaseWith: Load = () => import("./commands/lease-with.ts");
const leaseShow: Load = () => import("./commands/lease-show.ts");
const leaseWait: Load = () => import("./commands/lease-wait.ts");
const lane: Load = () => import("./commands/lane.ts");
const halt: Load = () => import("./commands/halt.ts");
const region: Load = () => import("./commands/region.ts");
const doctor: Load = () => import("./commands/doctor.ts");
const where: Load = () => import("./commands/where.ts");
const submit: Load = () => import("./commands/submit.ts");
const demo: Load = () => import("./commands/demo.ts");
const watch: Load = () => import("./commands/watch.ts");
const service: Load = () => import("./commands/service.ts");
const up: Load = () => import("./commands/up.ts");
const token: Load = () => import("./commands/token.ts");
const supervise: Load = () => import("./commands/supervise.ts");

/** Every verb by its name, in the order of the help; each is loaded only when it is called. */
export const VERB_FILES: Readonly<Record<string, Load>> = {
  init,
  run,
  spawn,
  workers,
  "worker show": worker,
  "worker checkpoint": worker,
  "worker quarantine": worker,
  "worker unquarantine": worker,
  "worker note": worker,
  "worker write-off": worker,
  liveness,
  watch,
  roll,
  beat,
  "service start": service,
  "service stop": service,
  supervise,
  stop,
  pause,
  resume,
  kill,
  logs,
  receipt,
  explain,
  why,
  "what-if": whatIf,
  "contract show": contract,
  "contract lint": contract,
  "contract enact": contract,
  "fleet show": fleet,
  "fleet accept-clock": fleet,
  "fleet recover": fleet,
  "journal tail": journal,
  "journal verify": journal,
  "journal replay": journalReplay,
  "journal export": journal,
  "journal import": journal,
  "journal compact": journalCompact,
  "archive ls": archive,
  "archive show": archive,
  "archive restore": archive,
  "lease acquire": leaseAcquire,
  "lease renew": leaseKeep,
  "lease release": leaseKeep,
  "lease narrow": leaseKeep,
  "lease split": leasePass,
  "lease adopt": leasePass,
  "lease revoke": leasePass,
  "lease show": leaseShow,
  "lease ls": leaseShow,
  "lease wait-list": leaseWait,
  "lease wait-cancel": leaseWait,
  "lease check": leaseCheck,
  "lease with": leaseWith,
  "lane ls": lane,
  "lane announce": lane,
  halt,
  "region overlap": region,
  "region contains": region,
  up,
  "token issue": token,
  "token list": token,
  "token revoke": token,
  metrics,
  doctor,
  where,
  submit,
  down,
  demo,
};

/** Loads a verb by its name, or undefined when there is none. */
export async function loadVerb(name: string): Promise<Verb | undefined> {
  if (!Object.hasOwn(VERB_FILES, name)) return undefined;
  const file = await VERB_FILES[name]?.();
  return file?.VERBS.find((verb) => verb.name === name);
}

/** Loads all verbs, in the order of the help. */
export async function loadVerbs(): Promise<readonly Verb[]> {
  const verbs = await Promise.all(Object.keys(VERB_FILES).map((name) => loadVerb(name)));
  return verbs.filter((verb) => verb !== undefined);
}
