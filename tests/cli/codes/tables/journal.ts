import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { loadSqlite } from "../../../../src/system/sqlite-library.ts";
import { kill, pause, resume } from "../../../support/scenario.ts";
import type { Called } from "../../../support/cli.ts";
import type { Scenarios } from "../scenario.ts";
import { stage, type Stage } from "../stage.ts";

const HOUR_MS = 3_600_000;

const show = (on: Stage): Promise<Called> => on.call(["fleet", "show", "--json"]);

/** What a journal fails with that is not the one that was written. */
export const JOURNAL: Scenarios = {
  journal_corrupt: {
    play: async () => {
      const bent = await (await stage()).given(pause);
      bent.rewrite("journal.db", (bytes) => {
        bytes.write("fleet.paxsed", bytes.indexOf("fleet.paused"));
        return bytes;
      });
      return show(bent);
    },
    says: /^entry 2 must hash to [0-9a-f]{64}, got [0-9a-f]{64}$/,
  },
  journal_truncated: {
    play: async () => {
      const cut = await (await stage()).given(pause);
      const folder = cut.copy("before");
      await cut.given(resume);
      cut.restore("journal.db", folder);
      return show(cut);
    },
    says: /must reach entry 3 \([0-9a-f]{64}\), which the head file has seen, it ends at 2$/,
  },
  journal_forked: {
    play: async () => {
      const forked = await (await stage()).given(pause);
      const before = forked.copy("before");
      await forked.given(resume);
      const after = forked.copy("after");
      // The same fleet, gone on from entry 2 in another way; the head file knows of the first.
      for (const name of ["journal.db", "head"]) forked.restore(name, before);
      await forked.asks(kill);
      forked.restore("head", after);
      return show(forked);
    },
    says: /^entry 3 must have the hash [0-9a-f]{64}, .*, it has [0-9a-f]{64}$/,
  },
  journal_newer: {
    play: async () => {
      const newer = await stage();
      const db = new (loadSqlite())(join(newer.stateDir, "journal.db"));
      db.pragma("user_version = 3");
      db.close();
      return show(newer);
    },
    says: /must be of version 2 or older, it is 3: use a newer Stint$/,
  },
  journal_missing: {
    play: async () => {
      const bare = await stage();
      rmSync(join(bare.stateDir, "journal.db"));
      return show(bare);
    },
    says: /journal\.db must be there, a journal was here and it is gone$/,
  },
  archive_broken: {
    play: async () => {
      const compacted = await (await stage()).given(pause, resume, pause);
      await compacted.call(["journal", "compact", "--keep", "0s"]);
      const segments = join(compacted.stateDir, "segments");
      for (const name of readdirSync(segments)) rmSync(join(segments, name));
      return compacted.call(["archive", "show", "1", "--json"]);
    },
    says: /\.jsonl must hold the entries 1 to \d+, it is missing: put the file back as it was/,
  },
  clock_skew: {
    // What a host writes whose clock is an hour ahead, and then is put right.
    play: async () => (await stage({ agoMs: -HOUR_MS })).asks(pause),
    says: /may be at most 5000 ms behind it, it shows \d{4}-.*: if that is right/,
  },
  secret_missing: {
    play: async () => {
      const open = await stage();
      rmSync(join(open.stateDir, "secret"));
      return open.asks(pause);
    },
    says: /secret must /,
  },
  key_mismatch: {
    play: async () => {
      const [own, other] = [await stage(), await stage()];
      own.restore("secret", other.stateDir);
      return own.asks(pause);
    },
    says: /must be that of the fleet f-plays, whose key is [0-9a-f]{16}, got one whose key is/,
  },
};
