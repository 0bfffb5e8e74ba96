// What a worker, or somebody outside, does to have ground that is taken still written to.
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Giver, type User, useGiver } from "./giver.ts";

const READ_ONLY = "Read-only file system";

/** Starts a worker; answers how it is told to run a script, and what that says. */
async function startTold(giver: Giver): Promise<(script: string) => Promise<string>> {
  await giver.startTold("w-a");
  return (script) => giver.tell(script);
}

for (const user of ["this user", "nobody"] as const satisfies readonly User[])
  describe(`hostile ground (${user})`, () => {
    const giver = useGiver(user);

    test("[GM40] of gifts in one another each is taken by itself, the outer first", async () => {
      await giver.hold("cwd");
      await giver.give("w-a", "src");
      expect(await giver.attempt()).toBe("wrote");
      expect(await giver.take("w-a", "src")).toBe(true);
      expect(await giver.attempt()).toBe("wrote");
      expect(await giver.take("w-a", "src/api")).toBe(true);
      expect(await giver.attempt()).toBe(READ_ONLY);
    });

    test("[GM40] who stands in the inner one writes no more when both are taken", async () => {
      const tell = await startTold(giver);
      await giver.give("w-a", "src");
      await giver.give("w-a", "src/api");
      const stand =
        "cd src/api; (while :; do echo x >> stood; sleep 0.01; done) > /dev/null 2>&1 &";
      await tell(stand);
      expect(await giver.takeAtLast("w-a", "src")).toBe(true);
      expect(await tell("echo x > src/api/more && echo yes")).toBe("yes\n");
      expect(await tell("echo x > src/more && echo yes")).toContain(READ_ONLY);
      expect(await giver.takeAtLast("w-a", "src/api")).toBe(true);
      const size = lstatSync(join(giver.ground, "src/api/stood")).size;
      await tell("sleep 0.2");
      expect(lstatSync(join(giver.ground, "src/api/stood")).size).toBe(size);
      expect(await tell('grep -c " $PWD/src" /proc/self/mountinfo')).toBe("0\n");
    });

    test("[GM40] an outer gift leaves an inner one writable that it leaves out", async () => {
      const tell = await startTold(giver);
      await giver.give("w-a", "src/api");
      await giver.give("w-a", "src", { left: ["src/api"] });
      const both = "echo x > src/api/more && echo x > src/more && echo yes";
      expect(await tell(both)).toBe("yes\n");
      expect(await giver.take("w-a", "src/api")).toBe(true);
      expect(await tell("echo x > src/api/more")).toContain(READ_ONLY);
      expect(await tell("echo x > src/more && echo yes")).toBe("yes\n");
      expect(await giver.take("w-a", "src")).toBe(true);
      expect(await tell("echo x > src/more")).toContain(READ_ONLY);
    });

    test("[GM40] what a worker moved along with an outer gift is taken with that", async () => {
      const tell = await startTold(giver);
      await giver.give("w-a", "src");
      await giver.give("w-a", "src/p/q");
      expect(await tell("mv src/p src/r && echo x > src/r/q/f && echo yes")).toBe("yes\n");
      await expect(giver.strayed("w-a")).resolves.toEqual([
        { folder: join(giver.ground, "src/p/q"), isOpen: false },
      ]);
      expect(await giver.take("w-a", "src")).toBe(true);
      expect(await tell("echo x > src/r/q/f")).toContain(READ_ONLY);
      // It is known that it cannot be written to any more, and it can be given anew.
      expect(await giver.strayed("w-a")).toHaveLength(1);
      expect(await giver.take("w-a", "src/p/q")).toBe(true);
      await giver.give("w-a", "src/p/q");
      expect(await giver.strayed("w-a")).toEqual([]);
      expect(await tell("echo x > src/p/q/f && echo yes")).toBe("yes\n");
    });

    test("[GM41] a folder that was moved is taken from who stands in it", async () => {
      await giver.hold("cwd");
      const away = join(giver.ground, "docs/moved");
      renameSync(join(giver.ground, "src/api"), away);
      expect(await giver.strayed("w-a")).toHaveLength(1);
      expect(await giver.attempt()).toBe("wrote");
      expect(await giver.take("w-a", "src/api")).toBe(true);
      expect(await giver.attempt()).toBe(READ_ONLY);
    });

    test("[GM41] a folder that was moved is not taken while a file in it is open", async () => {
      await giver.hold("fd");
      renameSync(join(giver.ground, "src"), join(giver.ground, "docs/moved"));
      expect(await giver.take("w-a", "src/api")).toBe(false);
      await giver.letGo();
      await expect.poll(() => giver.take("w-a", "src/api"), { timeout: 10_000 }).toBe(true);
    });

    test("[GM41] a folder that was removed is taken, and can be given anew", async () => {
      const tell = await startTold(giver);
      await giver.give("w-a", "src/api");
      rmSync(join(giver.ground, "src/api"), { recursive: true });
      expect(await giver.strayed("w-a")).toHaveLength(1);
      expect(await giver.take("w-a", "src/api")).toBe(true);
      await giver.give("w-a", "src/api");
      expect(await giver.strayed("w-a")).toEqual([]);
      expect(await tell("echo x > src/api/more && echo yes")).toBe("yes\n");
    });

    test("[GM42] what is left out is made, and nobody moves the way", async () => {
      const tell = await startTold(giver);
      await giver.give("w-a", "src", { left: ["src/new", "src/x/b"] });
      expect(await tell("echo x > src/new/f")).toContain(READ_ONLY);
      expect(await tell("mv src/x src/moved")).toMatch(/busy/i);
      expect(await tell("mv src/x/b src/moved")).toMatch(/busy/i);
      expect(await tell("echo x > src/x/b/f")).toContain(READ_ONLY);
      expect(await tell("echo x > src/x/f && mkdir src/x/c && echo yes")).toBe("yes\n");
      expect(await giver.strayed("w-a")).toEqual([]);
      expect(await giver.take("w-a", "src")).toBe(true);
      expect(await tell("echo x > src/x/f")).toContain(READ_ONLY);
    });

    test("[GM42] nothing is given where a file or a link lies in the way", async () => {
      const tell = await startTold(giver);
      await expect(giver.give("w-a", "src", { left: ["src/api/old.txt"] })).rejects.toThrow(
        "it is not:",
      );
      await giver.give("w-a", "docs");
      await tell("ln -s /etc docs/link");
      await expect(giver.give("w-a", "", { left: ["docs/link/x"] })).rejects.toThrow("it is not:");
      expect(existsSync("/etc/x")).toBe(false);
      await expect(giver.give("w-a", "", { kept: ["docs/link"] })).rejects.toThrow("is a link");
    });

    test("[GM43] that what is left out was removed from outside is seen", async () => {
      const tell = await startTold(giver);
      await giver.give("w-a", "src", { left: ["src/b"] });
      rmSync(join(giver.ground, "src/b"), { recursive: true });
      mkdirSync(join(giver.ground, "src/b"));
      expect(await giver.strayed("w-a")).toEqual([
        { folder: join(giver.ground, "src"), isOpen: true },
      ]);
      expect(await giver.take("w-a", "src")).toBe(true);
      expect(await tell("echo x > src/b/f")).toContain(READ_ONLY);
      await giver.give("w-a", "src", { left: ["src/b"] });
      expect(await tell("echo x > src/b/f")).toContain(READ_ONLY);
      expect(await tell("echo x > src/f && echo yes")).toBe("yes\n");
    });

    test("[GM40] ground around its own is not given without end", async () => {
      await giver.hold("cwd");
      const rounds = async (): Promise<void> => {
        for (let round = 0; round < 20; round += 1) {
          await giver.give("w-a", "src");
          expect(await giver.take("w-a", "src")).toBe(true);
        }
      };
      await expect(rounds()).rejects.toThrow("around its own too often");
      expect(await giver.attempt()).toBe("wrote");
      expect(await giver.take("w-a", "src/api")).toBe(true);
      expect(await giver.attempt()).toBe(READ_ONLY);
      await giver.give("w-a", "src");
      expect(readFileSync(join(giver.ground, "src/api/old.txt"), "utf8")).toBe("old");
    });
  });
