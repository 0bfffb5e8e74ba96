import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeRig, type Rung } from "./rig.ts";

/** Looks at places it is told of, and tries to write to each; says what it has found. */
const SPY = `
for place in "$@"; do
  ls -A "$place" 2>/dev/null | sed "s|^|seen $place/|"
  touch "$place/forged" 2>/dev/null && echo "written $place"
done
echo looked`;

test.each<Rung>(["cgroup", "pid-namespace"])(
  "[SV30] on the rung %s a worker sees neither keys nor other sandboxes, and forges no death",
  async (rung) => {
    const rig = await makeRig();
    await rig.supervise({ rung });
    const runtime = join(rig.folder, "run", "stint");
    const killed = join(process.env["XDG_STATE_HOME"] ?? "", "stint", "killed");
    const other = await rig.start(["/bin/sleep", "600"]);
    const places = [rig.stateDir, join(rig.stateDir, "sandboxes", other), runtime, killed];
    const id = await rig.start(["/bin/sh", "-c", SPY, "sh", ...places]);
    await rig.end(id);
    const said = readFileSync(join(rig.stateDir, "output", `${id}.jsonl`), "utf8");
    expect(said).toContain("looked");
    expect(said).not.toContain("written");
    // Its own door leads through the runtime folder; nothing else of that is there.
    expect(said.match(/seen [^\\"]*/g)).toEqual([expect.stringContaining(`seen ${runtime}/`)]);
    for (const place of places) expect(existsSync(join(place, "forged"))).toBe(false);
    expect(existsSync(killed)).toBe(true);
  },
);

/** Asks the supervisor for itself, with what it was given for that; says how that went. */
const CALLER = `
test -e "$STINT_WORKER_TOKEN_FILE" && echo "token seen"
test -S "$(dirname "$STINT_WORKER_TOKEN_FILE")/worker.sock" && echo "socket seen"
ls -A "$1" 2>/dev/null | sed "s|^|runtime folder shows |"
echo looked`;

test.each<[Rung, "none" | "controller"]>([
  ["cgroup", "none"],
  ["cgroup", "controller"],
  ["pid-namespace", "none"],
  ["pid-namespace", "controller"],
])(
  "[SV31] on the rung %s a worker with network %s finds so much of the supervisor",
  async (rung, network) => {
    const rig = await makeRig();
    await rig.supervise({ rung });
    const runtime = join(rig.folder, "run", "stint");
    const run = ["/bin/sh", "-c", CALLER, "sh", runtime];
    const id = await rig.start(run, { admission: { network } });
    await rig.end(id);
    const said = readFileSync(join(rig.stateDir, "output", `${id}.jsonl`), "utf8");
    expect(said).toContain("looked");
    for (const sign of ["token seen", "socket seen", "runtime folder shows"])
      expect(said.includes(sign)).toBe(network === "controller");
  },
);
