import type { SuperviseSection } from "../../config/section.ts";
import type { Network } from "../../kernel/worker/manifest.ts";
import type {
  ApplyOptions,
  DoneView,
  SupervisionOptions,
} from "../../library/supervision/options.ts";
import { toWire } from "../../library/names.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { InputError } from "../../protocol/input.ts";
import type { Call, Said } from "../call.ts";
import { configFileOf, readConfigFile } from "../founding/config-file.ts";
import { commandReason } from "../launching/command-reason.ts";
import { environmentFor } from "../launching/environment.ts";
import { coloursFor } from "../text/colour.ts";
import { plainText } from "../text/plain.ts";
import type { Given } from "../verb.ts";
import { doneText, planText } from "./plan-text.ts";

/** What may be typed of a plan; what is not is as the config has it. */
interface Typed {
  readonly apply?: boolean;
  readonly target?: number;
  readonly lanes?: readonly string[];
}

/** How long the lease of a worker that a plan starts lasts unless it is renewed. */
const ttlText = "1m";

/** Plans, and with `--apply` carries the plan out. */
export async function runPlan(call: Call, { parameters, options }: Given): Promise<Said> {
  const typed = options as Typed;
  const { root } = await call.place();
  const config = readConfigFile(configFileOf(root))?.supervise ?? {};
  const asked = optionsOf(typed, config);
  const isApplied = typed.apply === true;
  const template = templateOf(parameters, config);
  const mayStart = isApplied && template !== undefined;
  const supervisor = isApplied ? (mayStart ? "start" : "use") : "none";
  const fleet = await call.openFleet({ supervisor, steward: false });
  const plan = await fleet.planSupervision(asked);
  const data = { plan: toWire(plan, "plan") as JsonObject };
  const colours = coloursFor(call.isColour);
  if (!isApplied) return { data, text: planText(plan, colours) };
  call.print(planText(plan, colours));
  const done = await fleet.applySupervision(plan, {
    ...asked,
    signal: call.signal,
    ...(template === undefined ? {} : { startFor: await starterOf(template, root, config) }),
    onDone: (one) => call.note(doneText(one)),
  });
  return { data: { ...data, done: done.map(documentOf) }, text: sumText(done) };
}

function optionsOf(typed: Typed, config: SuperviseSection): SupervisionOptions {
  const { target = config.target, lanes = config.lanes } = typed;
  if (target === undefined) {
    const expected = "how many workers are to be alive, here or in [supervise] of stint.toml";
    throw new InputError("usage", [{ path: "--target", expected, got: "nothing" }]);
  }
  const { reap, count_spinning: countSpinning } = config;
  return {
    target,
    ...(lanes === undefined ? {} : { lanes }),
    ...(reap === undefined ? {} : { reap }),
    ...(countSpinning === undefined ? {} : { countSpinning }),
  };
}

type Template = readonly [string, ...string[]];

function templateOf(parameters: Given["parameters"], config: SuperviseSection) {
  const [program, ...args] = parameters.flat() as readonly string[];
  return program === undefined ? config.template : ([program, ...args] as const);
}

/**
 * What a plan starts: the template, for its lane, under a lease on that. The lease is the worker's
 * own, asked for by itself: where it is refused the command never runs, and the worker ends.
 */
async function starterOf(
  template: Template,
  cwd: string,
  { network = "controller" }: { readonly network?: Network },
): Promise<NonNullable<ApplyOptions["startFor"]>> {
  const { commandLine } = await import("../../compose/command-line.ts");
  const env = environmentFor(process.env, []);
  return (lane) => {
    const command = template.map((word) => word.replaceAll("{lane}", lane));
    const wrapper = ["lease", "with", "--lane", lane, "--ttl", ttlText, "--"];
    const run: Template = [...commandLine(), ...wrapper, ...command];
    const why = `supervise, lane ${lane}`;
    const reason = commandReason([template[0], ...command.slice(1)], { cwd, given: [], why });
    return {
      name: lane,
      run,
      cwd,
      env,
      network,
      reason,
      state: { lane },
    };
  };
}

function documentOf(done: DoneView): JsonObject {
  return { ...done };
}

function sumText(done: readonly DoneView[]): string {
  const count = done.filter(({ outcome }) => outcome === "done").length;
  const skipped = done.length - count;
  if (done.length === 0) return plainText("nothing was to be done");
  return `${count} done${skipped === 0 ? "" : `, ${skipped} skipped`}`;
}
