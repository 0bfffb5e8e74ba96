import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import {
  besideToken,
  ensureRuntimePlaces,
  ensureWorkerFolder,
  fileIdentity,
  operatorSocketOf,
  runtimePlaces,
  statePlaces,
  workerPlaces,
} from "../../src/system/places.ts";

function freshFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "stint-places-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("[SY20] a state folder has one runtime folder, by whatever name it is reached", () => {
  const folder = freshFolder();
  const [state, link] = [join(folder, "state"), join(folder, "link")];
  mkdirSync(state);
  symlinkSync(state, link);
  const env = { XDG_RUNTIME_DIR: join(folder, "run") };
  mkdirSync(env.XDG_RUNTIME_DIR, { mode: 0o700 });
  const places = runtimePlaces(state, env);
  expect(places.dir).toMatch(/\/run\/stint\/[0-9a-f]{12}$/);
  expect(runtimePlaces(link, env)).toEqual(places);
  mkdirSync(join(folder, "other"));
  expect(runtimePlaces(join(folder, "other"), env).dir).not.toBe(places.dir);
});

test("[SY20] where no runtime directory is named, or none that will do, it is in /tmp", () => {
  const state = freshFolder();
  const inTmp = new RegExp(`^/tmp/stint-${process.getuid?.()}/[0-9a-f]{12}$`);
  // 107 bytes are left to a socket's path, /stint/DIGEST/w/INSTANCE/worker.sock takes 52 of them.
  const [fits, long] = [55, 56].map((bytes) => join(state, "x".repeat(bytes - state.length - 1)));
  for (const folder of [fits, long]) mkdirSync(String(folder));
  writeFileSync(join(state, "file"), "");
  const bad = [undefined, "", "relative", long, join(state, "missing"), join(state, "file")];
  for (const named of bad)
    expect(runtimePlaces(state, { XDG_RUNTIME_DIR: named }).dir).toMatch(inTmp);
  const places = runtimePlaces(state, { XDG_RUNTIME_DIR: fits });
  expect(places.dir.startsWith(`${fits}/`)).toBe(true);
  const { socket } = workerPlaces(places, "w-aaaaaaaaaaaaaaaa");
  expect(Buffer.byteLength(socket)).toBe(107);
});

test("[SY21] the runtime folder is private, one that others can write to is refused", () => {
  const folder = freshFolder();
  const env = { XDG_RUNTIME_DIR: join(folder, "run") };
  mkdirSync(env.XDG_RUNTIME_DIR, { mode: 0o700 });
  const places = runtimePlaces(folder, env);
  const modeOf = (path: string): number => statSync(path).mode & 0o777;
  ensureRuntimePlaces(places);
  ensureRuntimePlaces(places);
  const worker = workerPlaces(places, "w-aaaaaaaaaaaaaaaa");
  ensureWorkerFolder(worker);
  expect([dirname(places.dir), places.dir, places.workers, worker.dir].map(modeOf)).toEqual([
    0o700, 0o700, 0o711, 0o711,
  ]);

  for (const path of [dirname(places.dir), places.dir, places.workers]) {
    const mode = modeOf(path);
    chmodSync(path, 0o777);
    expect(() => ensureRuntimePlaces(places)).toThrow(/nobody else may write to, its mode is 0777/);
    chmodSync(path, mode);
  }
  rmSync(places.dir, { recursive: true });
  mkdirSync(join(folder, "elsewhere"));
  symlinkSync(join(folder, "elsewhere"), places.dir);
  expect(() => ensureRuntimePlaces(places)).toThrow(/it is no folder/);
});

test("[SY21] where no folder can be made there is a fault, at once", () => {
  // Belongs to this process's user, and takes no folders.
  const places = runtimePlaces(freshFolder(), { XDG_RUNTIME_DIR: "/proc/self" });
  expect(() => ensureRuntimePlaces(places)).toThrow(/storage must work while making \/proc\/self/);
});

test("[SY22] a supervisor's socket is where it wrote it down", () => {
  const state = freshFolder();
  expect(operatorSocketOf(state)).toBe(runtimePlaces(state).operatorSocket);
  const { about } = statePlaces(state);
  for (const torn of ["", "{", "[]", '{"socket":1}', '{"socket":"relative"}']) {
    writeFileSync(about, torn);
    expect(operatorSocketOf(state)).toBe(runtimePlaces(state).operatorSocket);
  }
  writeFileSync(about, '{"socket":"/run/elsewhere/operator.sock"}');
  expect(operatorSocketOf(state)).toBe("/run/elsewhere/operator.sock");
  expect(besideToken("/r/w/x/token")).toEqual({
    socket: "/r/w/x/worker.sock",
    token: "/r/w/x/token",
  });
});

test("[SY22] a copy of a state folder does not lead to the supervisor of the original", () => {
  const [state, copy] = [freshFolder(), freshFolder()];
  const { about, claim } = statePlaces(state);
  writeFileSync(claim, "");
  const socket = "/run/elsewhere/operator.sock";
  writeFileSync(about, JSON.stringify({ socket, claim: fileIdentity(claim) }));
  expect(operatorSocketOf(state)).toBe(socket);
  cpSync(state, copy, { recursive: true });
  expect(operatorSocketOf(copy)).toBe(runtimePlaces(copy).operatorSocket);
  rmSync(statePlaces(copy).claim);
  expect(operatorSocketOf(copy)).toBe(runtimePlaces(copy).operatorSocket);
});
