// Opens the fleet in a folder, starts one process in it, one worker of its own, and prints their
// ids as a line of JSON. Then it does nothing more, until it is killed.
// Arguments: the folder, the secret, the program of the process as JSON.
import { openFleet, sqlite } from "stint";

const [dir = "", secret = "", run = "[]"] = process.argv.slice(2);
const fleet = await openFleet({ store: sqlite({ dir }), secret });
const apart = await fleet.start({ name: "apart", run: JSON.parse(run) as string[] });
const here = await fleet.start({ name: "here" });
process.stdout.write(`${JSON.stringify({ apart: apart.id, here: here.id })}\n`);
setInterval(() => undefined, 60_000);
