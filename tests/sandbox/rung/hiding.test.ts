import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Sandbox } from "../../../src/ports/sandbox.ts";
import { HeldPipe } from "../holding.ts";
import { CASES, ENCLOSED } from "../rungs.ts";
import { fixtures, type Ground, kill, useGround } from "../state-folder.ts";

const intruder = join(fixtures, "intruder.sh");

/** What an intruder finds on every rung. */
const OWN = { "own-token": "token of w-a", user: String(process.getuid?.()) };

interface Scene {
  readonly state: string;
  readonly runtime: string;
  readonly sandbox: Sandbox;
  /** What an instance has written to `stdout`. */
  readonly said: (instance: string) => string;
}

/** A state folder and a runtime folder as a supervisor has them, and a driver that hides them. */
async function scene(ground: Ground, options: object): Promise<Scene> {
  const [state, runtime] = [join(ground.folder, "state"), join(ground.folder, "runtime")];
  for (const name of ["w-a", "w-b"]) {
    mkdirSync(join(runtime, "w", name), { recursive: true });
    writeFileSync(join(runtime, "w", name, "token"), `token of ${name}`, { mode: 0o600 });
  }
  mkdirSync(state);
  writeFileSync(join(state, "secret"), "SECRET of the fleet", { mode: 0o600 });
  writeFileSync(join(runtime, "operator.token"), "SECRET of the operator", { mode: 0o600 });
  const written = new Map<string, string>();
  const hidden = [state, runtime, join(ground.folder, "not there")];
  const output = async (instance: string): ReturnType<NonNullable<Output>> => ({
    write: async (stream, chunk) => {
      const before = written.get(instance) ?? "";
      if (stream === "stdout") written.set(instance, before + Buffer.from(chunk).toString());
    },
    close: async () => undefined,
  });
  const sandbox = await ground.open({ ...options, stateFolder: state, hidden, output });
  return { state, runtime, sandbox, said: (instance) => written.get(instance) ?? "" };
}

type Output = Parameters<Ground["open"]>[0] extends { output?: infer T } | undefined ? T : never;

/** Lets a worker loose on its neighbour and its starter; answers what it got, by attempt. */
async function intrude(ground: Ground, options: object): Promise<Record<string, string>> {
  const { state, runtime, sandbox, said } = await scene(ground, options);
  const pipe = new HeldPipe(ground.folder);
  const neighbour = ["sh", "-c", 'exec 9> "$0"; echo "ready $$" >&9; sleep 60', pipe.path] as const;
  const env = { OTHER_SECRET: "SECRET of w-b" };
  const other = await sandbox.start({ instance: "w-b", run: [...neighbour], files: {}, env });
  await pipe.ready(1);
  const run = [intruder, state, runtime, String(other.pid), String(process.pid)] as const;
  const visible = [join(runtime, "w", "w-a")];
  const exited = new Promise((resolve) => {
    sandbox.onExit((instance) => instance === "w-a" && resolve(instance));
  });
  await sandbox.start({ instance: "w-a", run: [...run], files: {}, visible });
  await exited;
  await kill(sandbox, "w-a");
  await kill(sandbox, "w-b");
  expect(readFileSync(join(state, "secret"), "utf8")).toMatch(/^SECRET of the fleet$|^x$/m);
  const lines = said("w-a").trim().split("\n");
  return Object.fromEntries(lines.map((line) => line.split(": ", 2) as [string, string]));
}

/** As {@link intrude}, by a starter that has a secret in its own environment. */
async function intrudeOn(ground: Ground, options: object): Promise<Record<string, string>> {
  process.env["STARTER_SECRET"] = "SECRET of the starter";
  try {
    return await intrude(ground, options);
  } finally {
    delete process.env["STARTER_SECRET"];
  }
}

describe.each(CASES.filter(({ name }) => name === "process-group"))("on the rung $name", (on) => {
  const ground = useGround(on);

  test("[RU5] the lowest rung hides nothing, and says so: the attempts can succeed", async () => {
    expect(ground.sandbox.degraded).toContain("same_user");
    expect(await intrudeOn(ground, on.options)).toMatchObject({
      ...OWN,
      state: "SECRET of the fleet",
      operator: "SECRET of the operator",
      "other-token": "token of w-b",
      environ: "OTHER_SECRET=SECRET of w-b",
      root: "SECRET of the fleet",
      signal: "reached",
      "starter-signal": "reached",
      write: "written",
    });
  });
});

describe.each(ENCLOSED)("on the rung $name", (on) => {
  const ground = useGround(on);

  test("[RU5] a worker gets at nothing that is not its own, however it tries", async () => {
    const got = await intrudeOn(ground, on.options);
    const names = Object.keys(got).filter((name) => !(name in OWN));
    expect(names.length).toBeGreaterThan(20);
    const nothing = Object.fromEntries(names.map((name) => [name, "nothing"]));
    expect(got).toEqual({ ...OWN, ...nothing });
  });

  test("[RU6] a folder that is shown can be written to, and shows what comes later", async () => {
    const { runtime, sandbox, said } = await scene(ground, on.options);
    const own = join(runtime, "w", "w-a");
    const go = join(own, "go");
    const script =
      'echo hello > "$0/from-inside"; while [ ! -e "$1" ]; do sleep 0.01; done; cat "$1"';
    const exited = new Promise((resolve) => sandbox.onExit(resolve));
    const run = ["sh", "-c", script, own, go] as const;
    await sandbox.start({ instance: "w-a", run: [...run], files: {}, visible: [own] });
    const read = (): string => {
      try {
        return readFileSync(join(own, "from-inside"), "utf8");
      } catch {
        return "";
      }
    };
    await expect.poll(read).toBe("hello\n");
    writeFileSync(go, "from outside");
    await exited;
    await kill(sandbox, "w-a");
    expect(said("w-a")).toBe("from outside");
  });

  test("[RU7] the environment chosen for a worker has no effect before it is inside", async () => {
    const { state, sandbox, said } = await scene(ground, on.options);
    const [bin, loads] = [join(ground.folder, "bin"), join(ground.folder, "loads")];
    for (const folder of [bin, loads]) mkdirSync(folder);
    for (const name of ["bwrap", "unshare", "setpriv", "mount", "mkdir", "ln", "sh", "cat"]) {
      const booty = `cat ${join(state, "secret")} > ${join(ground.folder, "booty")}`;
      writeFileSync(join(bin, name), `#!/bin/sh\nPATH=/usr/bin:/bin\n${booty}\n`, { mode: 0o755 });
    }
    const exited = new Promise((resolve) => sandbox.onExit(resolve));
    // Each program that the loader is told this by writes down its name.
    const loader = { LD_DEBUG: "files", LD_DEBUG_OUTPUT: join(loads, "by") };
    const env = { PATH: `${bin}:/usr/bin:/bin`, ENV: bin, ...loader };
    const spec = { instance: "w-a", run: ["/bin/echo", "ran"] as [string, string], files: {}, env };
    await sandbox.start(spec);
    await exited;
    await kill(sandbox, "w-a");
    expect(said("w-a")).toBe("ran\n");
    expect(() => readFileSync(join(ground.folder, "booty"))).toThrow("ENOENT");
    const told = readdirSync(loads).map((name) => readFileSync(join(loads, name), "utf8"));
    const control = /transferring control: (\S+)/g;
    const programs = told.flatMap((text) => [...text.matchAll(control)].map((found) => found[1]));
    expect(new Set(programs)).toEqual(new Set(["/bin/echo", "/bin/sh"]));
  });

  test("[RU7] every value of the environment comes through as it is", async () => {
    const { sandbox, said } = await scene(ground, on.options);
    const all = Array.from({ length: 0x7ff }, (_, index) => String.fromCodePoint(index + 1));
    const env = { ODD: `${all.join("")}'"\\\n\n$HOME\`id\` \t end\\`, stint_go: "no", UID: "5" };
    const exited = new Promise((resolve) => sandbox.onExit(resolve));
    const run = [process.execPath, "-p", "JSON.stringify(process.env)"] as const;
    await sandbox.start({ instance: "w-a", run: [...run], files: {}, env });
    await exited;
    await kill(sandbox, "w-a");
    const seen = JSON.parse(said("w-a")) as Record<string, string>;
    expect(seen["ODD"]).toBe(env.ODD);
    expect(seen).toMatchObject({ STINT_INSTANCE: "w-a", STINT_FLEET: ground.fleet });
  });

  test("[RU8] without network rights a worker reaches no port, and with them it does", async () => {
    const { sandbox, said } = await scene(ground, on.options);
    const server = createServer((socket) => socket.end("hello"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const script = `require("net").connect(${port}, "127.0.0.1")
      .on("data", (data) => console.log(String(data)))
      .on("error", (error) => console.log(error.code))`;
    try {
      for (const network of ["none", "controller", "open"] as const) {
        const instance = `w-${network}`;
        const exited = new Promise((resolve) => sandbox.onExit(resolve));
        const run = [process.execPath, "-e", script] as const;
        await sandbox.start({ instance, run: [...run], files: {}, network });
        await exited;
        await kill(sandbox, instance);
      }
    } finally {
      server.close();
      await once(server, "close");
    }
    expect(said("w-none")).toMatch(/^(ECONNREFUSED|ENETUNREACH)\n$/);
    expect(said("w-controller")).toMatch(/^(ECONNREFUSED|ENETUNREACH)\n$/);
    expect(said("w-open")).toBe("hello\n");
  });

  test("[RU6] a folder to be shown, or to start in, that is not there is a fault", async () => {
    const { runtime, state, sandbox } = await scene(ground, on.options);
    const missing = [join(runtime, "w", "w-missing")];
    const base = { run: ["true"] as [string], files: {} };
    const unseen = sandbox.start({ ...base, instance: "w-a", visible: missing });
    await expect(unseen).rejects.toMatchObject({ code: "sandbox_failed" });
    // The worker's folder to start in is hidden from it.
    const hidden = sandbox.start({ ...base, instance: "w-b", cwd: join(state, "sandboxes") });
    await expect(hidden).rejects.toMatchObject({ code: "sandbox_failed" });
    expect((await sandbox.list()).map(({ seen }) => seen)).toEqual(["gone", "gone"]);
  });
});
