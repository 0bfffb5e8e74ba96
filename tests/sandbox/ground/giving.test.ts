// Ground given to a sandbox that runs, and taken from it: as root, and as a plain user.
import { existsSync, mkdirSync, readFileSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type User, useGiver } from "./giver.ts";

const READ_ONLY = "Read-only file system";

for (const user of ["this user", "nobody"] as const satisfies readonly User[])
  describe(`ground (${user})`, () => {
    const giver = useGiver(user);

    test("[GM1] a running worker is given a folder, and it is taken from it", async () => {
      const folder = await giver.hold("path");
      expect(await giver.attempt()).toBe("wrote");
      expect(existsSync(join(folder, "more"))).toBe(true);
      await giver.give("w-a", "src/api");
      expect(await giver.take("w-a", "src/api")).toBe(true);
      expect(await giver.attempt()).toBe(READ_ONLY);
      expect(await giver.take("w-a", "src/api")).toBe(true);
      await giver.give("w-a", "src/api");
      expect(await giver.attempt()).toBe("wrote");
    });

    test.each(["fd", "mapping", "socket", "ring"])(
      "[GM2] nothing is taken while something can write there by a %s, and all when it cannot",
      async (how) => {
        await giver.hold(how);
        expect(await giver.take("w-a", "src/api")).toBe(false);
        await giver.control("freeze", "w-a");
        expect(await giver.take("w-a", "src/api")).toBe(false);
        await giver.control("thaw", "w-a");
        await giver.letGo();
        await expect.poll(() => giver.take("w-a", "src/api"), { timeout: 10_000 }).toBe(true);
      },
    );

    test.each(["cwd", "folder", "read-only"])(
      "[GM3] what is held without being open for writing (%s) is of no use any more",
      async (how) => {
        await giver.hold(how);
        expect(await giver.attempt()).toBe("wrote");
        expect(await giver.take("w-a", "src/api")).toBe(true);
        expect(await giver.attempt()).toBe(READ_ONLY);
      },
    );

    test("[GM4] what is kept of a folder stays as it is, what is hidden stays so", async () => {
      const tries = [".git/config", ".git/new", "state/secret", "src/api/old.txt", "top"];
      const write =
        'for f; do if echo more >> "$f"; then echo "$f yes"; else echo "$f no"; fi; done';
      const script = `while [ ! -e "$0/given" ]; do sleep 0.01; done
        cd "$1"; shift; { ${write}; ls state; } > "$0/said.new" 2> /dev/null
        mv "$0/said.new" "$0/said"; exec sleep 1000`;
      await giver.start("w-a", { run: ["sh", "-c", script, giver.inbox, giver.ground, ...tries] });
      await giver.give("w-a", "", { kept: [".git", "not there"] });
      mkdirSync(join(giver.inbox, "given"));
      const said = join(giver.inbox, "said");
      await expect.poll(() => existsSync(said), { timeout: 10_000 }).toBe(true);
      expect(readFileSync(said, "utf8").trim().split("\n")).toEqual([
        ".git/config no",
        ".git/new no",
        "state/secret no",
        "src/api/old.txt yes",
        "top yes",
      ]);
      expect(await giver.take("w-a", "")).toBe(true);
    });

    test("[GM5] what is not there is made; what a link leads to is not given", async () => {
      await giver.start("w-a", { run: ["sleep", "1000"] });
      await giver.give("w-a", "lib/new");
      expect(existsSync(join(giver.ground, "lib/new"))).toBe(true);
      symlinkSync("/etc", join(giver.ground, "docs/etc"));
      renameSync(join(giver.ground, "src"), join(giver.ground, "moved"));
      symlinkSync("moved", join(giver.ground, "src"));
      for (const path of ["docs/etc", "docs/etc/new", "src/api", "state", "state/x", "../x"])
        await expect(giver.give("w-a", path)).rejects.toThrow("it is not:");
      expect(existsSync("/etc/new")).toBe(false);
      expect(await giver.take("w-a", "src/api")).toBe(true);
    });
  });
