// A process that waits for one lane again and again, and while it has it writes to a file that
// nobody else may write to meanwhile.
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openFleet, sqlite } from "stint";

const [dir = "", secret = "", holder = "", rounds = "", supervisor = "none"] =
  process.argv.slice(2);
const store = sqlite({ dir });
const kept = secret === "" ? {} : { secret };
const so = { store, ...kept, steward: false, supervisor: supervisor as "none" };
await using fleet = await openFleet(so);
const file = join(dir, "ground");
process.stdout.write("ready\n");
for (let round = 0; round < Number(rounds); round += 1) {
  await fleet.withLease({ region: "src/**", holder, waitMs: 600_000 }, (lease) => {
    const before = Number(readFileSync(file, "utf8"));
    writeFileSync(file, String(before + 1));
    appendFileSync(join(dir, "order"), `${holder} ${lease.fence}\n`);
  });
}
process.stdout.write("done\n");
