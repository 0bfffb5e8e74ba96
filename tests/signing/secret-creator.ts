// Waits for a line of input, then ensures the secret file named by its argument and prints it.
import { once } from "node:events";
import { ensureSecretFile } from "../../src/signing/secret-file.ts";

process.stdout.write("ready\n");
await once(process.stdin, "data");
process.stdout.write(`${ensureSecretFile(process.argv[2] ?? "")}\n`);
process.stdin.destroy();
