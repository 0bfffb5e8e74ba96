import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { loadSqlite } from "../../../../src/system/sqlite-library.ts";
import { builtBin } from "../../../support/cli.ts";
import { ask, idOf, pause, start } from "../../../support/scenario.ts";
import type { Scenarios } from "../scenario.ts";
import { mounting, stage } from "../stage.ts";

/** A write of more than any limit below leaves room for. */
const bulky = ask("worker.checkpoint", {
  worker: idOf("a"),
  state: { text: "x".repeat(30_000) },
});

/** In blocks of 512 bytes: the files that a store is opened with fit, a bulky write does not. */
const FILE_BLOCKS_MAX = 66;

/** What a store fails with that lies on a host where it does not work. */
export const STORE: Scenarios = {
  storage_full: {
    play: async () => {
      const full = await (await stage()).given(start("a"));
      const { stateDir } = full;
      const copy = full.copy("copy");
      // A disk with the fleet on it, and then so much else that nothing more fits.
      const fill =
        `mount -t tmpfs -o size=1m none '${stateDir}' && cp -a '${copy}/.' '${stateDir}' && ` +
        `{ cat /dev/zero > '${stateDir}/ballast' 2> /dev/null || true; }`;
      return full.asks(bulky, { within: mounting(fill) });
    },
    says: /^storage must work while .*, got (SQLITE_FULL|SQLITE_IOERR_SHMSIZE|ENOSPC)/,
  },
  storage_failed: {
    play: async () => {
      const broken = await stage();
      rmSync(join(broken.stateDir, "head"));
      mkdirSync(join(broken.stateDir, "head"));
      return broken.asks(pause);
    },
    says: /^storage must work while .*, got EISDIR: /,
  },
  storage_busy: {
    play: async () => {
      const held = await stage();
      const db = new (loadSqlite())(join(held.stateDir, "journal.db"));
      // As a process does that is stopped in the middle of a recovery: not even reading goes on.
      db.pragma("locking_mode = EXCLUSIVE");
      db.exec("BEGIN IMMEDIATE");
      try {
        return await held.call(["fleet", "show", "--json"]);
      } finally {
        db.close();
      }
    },
    says: /must work while .*, got SQLITE_BUSY/,
  },
  append_unknown: {
    play: async () => {
      const limited = await (await stage()).given(start("a"));
      const within = ["sh", "-c", `ulimit -f ${FILE_BLOCKS_MAX} && exec "$@"`, "sh"];
      // Nobody knows what became of it, so that it is asked a thousand times before it is said.
      return limited.asks(bulky, { within, callMs: 110_000 });
    },
    says: /must be durable or known not to be, the commit failed: /,
  },
  network_filesystem: {
    play: async () => {
      const remote = await stage();
      // No such file system can be mounted without a second host: the system's answer is given.
      const hook = join(remote.dir, "nfs.cjs");
      writeFileSync(
        hook,
        `const fs = require("node:fs");
         const { statfsSync } = fs;
         fs.statfsSync = (path) => ({ ...statfsSync(path), type: 0x6969 });
         require("node:module").syncBuiltinESMExports();`,
      );
      return remote.asks(pause, { env: { NODE_OPTIONS: `--require=${hook}` } });
    },
    says: /must lie on a local file system, .* is on NFS$/,
  },
  sqlite_unsupported: {
    play: async () => {
      const bare = await stage();
      // As it is installed where the native module cannot be.
      const from = join(dirname(await builtBin()), "..");
      const to = join(bare.dir, "installed");
      for (const name of ["bin", "dist", "package.json"])
        cpSync(join(from, name), join(to, name), { recursive: true });
      const packages = join(to, "node_modules");
      mkdirSync(packages);
      for (const name of readdirSync(join(from, "node_modules")))
        if (name !== "better-sqlite3")
          symlinkSync(join(from, "node_modules", name), join(packages, name));
      return bare.asks(pause, { bin: join(to, "bin/stint.cjs") });
    },
    says: /^better-sqlite3 must load on .*, got: Cannot find module/,
  },
};
