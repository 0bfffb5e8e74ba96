// What a container sees is bound by paths that workers may have lead elsewhere meanwhile.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Sandbox } from "../../../src/ports/sandbox.ts";
import { hasEngine, needsEngine, type Opened, SHELL_LESS, TestEngine } from "./engine.ts";
import { type Held, Turnstile } from "./turnstile.ts";

const now = { graceMs: 0, deadlineMs: 10_000, by: "test" };
const engine = new TestEngine();
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  if (hasEngine()) await engine.begin();
}, 60_000);

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

afterAll(() => engine.end());

/** A repository with a fleet's state in its git directory, as `stint init` makes it. */
interface Scene {
  readonly repo: string;
  readonly git: string;
  readonly state: string;
  readonly secret: string;
}

function scene(): Scene {
  needsEngine();
  const repo = mkdtempSync(join(engine.folder, "repo-"));
  const git = join(repo, ".git");
  const state = join(git, "stint");
  mkdirSync(state, { recursive: true });
  writeFileSync(join(state, "secret"), "SECRET\n");
  return { repo, git, state, secret: join(state, "secret") };
}

async function open(options: Parameters<TestEngine["open"]>[0]): Promise<Opened> {
  const opened = await engine.open(options);
  closers.push(() => opened.sandbox.close());
  return opened;
}

/** What is between a driver and its engine while the engine makes the mounts of a container. */
interface Between {
  readonly before: Turnstile;
  readonly after: Turnstile;
}

/** Podman makes them when one attaches to the container, Docker when it is started. */
async function between(): Promise<Between> {
  const path = /\/attach/;
  const place = mkdtempSync(join(engine.folder, "between-"));
  const stand = async (socket: string, hold: Held): Promise<Turnstile> => {
    const turnstile = new Turnstile(socket, join(place, hold.what), hold);
    await turnstile.listen();
    closers.push(() => turnstile.close());
    return turnstile;
  };
  const after = await stand(engine.socket, { path, what: "answer" });
  return { before: await stand(after.socket, { path, what: "request" }), after };
}

/** Starts a program, and has something done before its mounts are made, and after. */
async function startAmid(
  sandbox: Sandbox,
  so: {
    readonly between: Between;
    readonly spec: Omit<Parameters<Sandbox["start"]>[0], "instance" | "files">;
    readonly before: () => void;
    readonly after: () => void;
  },
): Promise<unknown> {
  const { before, after } = so.between;
  before.arm();
  after.arm();
  const outcome = sandbox
    .start({ instance: "w-a", files: {}, ...so.spec })
    .catch((error: unknown) => error);
  await before.held;
  so.before();
  before.release();
  await after.held;
  so.after();
  after.release();
  return outcome;
}

function fault(...words: readonly string[]): unknown {
  const message: unknown = expect.stringMatching(new RegExp(words.join(".*")));
  return expect.objectContaining({ code: "sandbox_failed", message }) as unknown;
}

function names(): string {
  return engine.podman("ps", "--all", "--format", "{{.Names}}");
}

test("[CN17] with a folder above a hidden one renamed nothing more is run", async () => {
  const { repo, git, state } = scene();
  const { sandbox, fleet } = await open({ hidden: [state] });
  const moved = join(repo, ".g");
  const said = (instance: string): string =>
    readFileSync(join(sandbox.folder(instance), "output.log"), "utf8");
  const exited = new Promise((resolve) => sandbox.onExit(resolve));
  const move = `cat ${state}/secret; mv ${git} ${moved} && echo moved; cat ${moved}/stint/secret`;
  const spec = { files: {}, cwd: repo };
  await sandbox.start({ ...spec, instance: "w-a", run: ["sh", "-c", `exec 2>/dev/null; ${move}`] });
  await exited;
  expect(said("w-a")).toBe("moved\n");
  const forge = ["sh", "-c", "cat .g/stint/secret; echo forged > .g/stint/secret"] as const;
  const outcome = await sandbox
    .start({ ...spec, instance: "w-b", run: forge })
    .catch((error: unknown) => error);
  expect(outcome).toEqual(fault(state, "must stay where it was", moved));
  expect(readFileSync(join(moved, "stint/secret"), "utf8")).toBe("SECRET\n");
  expect(names()).not.toContain(`stint-${fleet}-w-b`);
  await sandbox.stop("w-a", now);
});

test("[CN17] a hidden folder that is not there, in what it would see, is refused", async () => {
  const { repo, git } = scene();
  const late = join(git, "later");
  const { sandbox } = await open({ hidden: [late] });
  const run = ["touch", "mark"] as const;
  const start = (instance: string, cwd: string): Promise<unknown> =>
    sandbox.start({ instance, run, files: {}, cwd }).catch((error: unknown) => error);
  expect(await start("w-a", repo)).toEqual(fault(late, "must be there to be covered", "it is not"));
  expect(existsSync(join(repo, "mark"))).toBe(false);
  // Where it would not be seen it does not matter.
  const elsewhere = mkdtempSync(join(engine.folder, "elsewhere-"));
  expect(await start("w-b", elsewhere)).toMatchObject({ instance: "w-b" });
  mkdirSync(late);
  expect(await start("w-c", repo)).toMatchObject({ instance: "w-c" });
  for (const id of ["w-b", "w-c"]) await sandbox.stop(id, now);
});

test.each([
  ["and left there", false],
  ["and put back", true],
] as const)(
  "[CN17] a decoy of its folder while mounts are made, %s, runs nothing",
  async (_, back) => {
    const { repo, git, state } = scene();
    const amid = await between();
    const { sandbox, fleet } = await open({ hidden: [state], socket: amid.before.socket });
    const [decoy, aside] = [join(repo, ".decoy"), join(repo, ".aside")];
    mkdirSync(join(decoy, "stint"), { recursive: true });
    const outcome = await startAmid(sandbox, {
      between: amid,
      spec: { run: ["touch", "mark"], cwd: repo },
      before: () => {
        renameSync(git, aside);
        renameSync(decoy, git);
      },
      after: () => {
        if (!back) return;
        renameSync(git, decoy);
        renameSync(aside, git);
      },
    });
    expect(outcome).toEqual(fault("must (stay where it was|be covered|be what a container has)"));
    expect(existsSync(join(repo, "mark"))).toBe(false);
    expect(names()).not.toContain(fleet);
  },
);

/** Has the engine find a link to loot where it looks for a cover. */
function lureTo(loot: string, cover: string): { readonly before: () => void; after: () => void } {
  mkdirSync(loot);
  writeFileSync(join(loot, "key"), "of the host");
  return {
    before: () => {
      renameSync(cover, `${cover}.aside`);
      symlinkSync(loot, cover);
    },
    after: () => {
      rmSync(cover);
      renameSync(`${cover}.aside`, cover);
    },
  };
}

test.each([
  ["its program waits for it", {}],
  ["it is looked at before the start, in an image without a shell", { image: SHELL_LESS }],
] as const)("[CN18] bound is what was planned, whatever a path led to: %s", async (_, image) => {
  const { repo, state } = scene();
  const amid = await between();
  const stateFolder = state;
  const options = { hidden: [state], stateFolder, socket: amid.before.socket, ...image };
  const { sandbox, fleet } = await open(options);
  const lure = lureTo(
    join(engine.folder, `loot-${fleet}`),
    join(sandbox.folder("w-a"), "covers/0"),
  );
  const outcome = await startAmid(sandbox, {
    between: amid,
    spec: { run: ["touch", "mark"], cwd: repo },
    ...lure,
  });
  expect(outcome).toEqual(fault("covers/0 must be what a container has at", state));
  expect(existsSync(join(repo, "mark"))).toBe(false);
  expect(names()).not.toContain(fleet);
});

test("[CN18] so is the folder of its socket; a program runs when all of it holds", async () => {
  const { repo, state } = scene();
  const visible = join(state, "w/a");
  mkdirSync(visible, { recursive: true });
  const amid = await between();
  const { sandbox } = await open({ hidden: [state], socket: amid.before.socket });
  const lure = lureTo(join(engine.folder, "loot-w"), visible);
  const spec = { run: ["touch", "mark"], cwd: repo, visible: [visible] } as const;
  const outcome = await startAmid(sandbox, { between: amid, spec, ...lure });
  expect(outcome).toEqual(fault("w/a must be what"));
  expect(existsSync(join(repo, "mark"))).toBe(false);
  const exited = new Promise((resolve) => sandbox.onExit(resolve));
  await sandbox.start({ ...spec, instance: "w-b", files: {} });
  await exited;
  expect(existsSync(join(repo, "mark"))).toBe(true);
  await sandbox.stop("w-b", now);
});

test("[CN18] a program has nothing on its input", async () => {
  const { repo, state } = scene();
  const { sandbox } = await open({ hidden: [state] });
  const exited = new Promise((resolve) => sandbox.onExit(resolve));
  const run = ["sh", "-c", 'read -r x; echo "$? <$x>" > mark'] as const;
  await sandbox.start({ instance: "w-a", run, files: {}, cwd: repo });
  await exited;
  expect(readFileSync(join(repo, "mark"), "utf8")).toBe("1 <>\n");
  await sandbox.stop("w-a", now);
});
