// Runs a task that waits for its signal and for nothing else, in a process that has nothing else to
// do, and prints why it fired.
import { Interrupted, memory, openFleet } from "stint";

const fleet = await openFleet({
  store: memory(),
  secret: "0123456789abcdef",
  contract: { lifetimeMs: 300 },
});
const worker = await fleet.start();
try {
  await worker.performTask(({ signal }) => {
    const { promise, reject } = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => reject(signal.reason as Error));
    return promise;
  });
} catch (error) {
  process.stdout.write(error instanceof Interrupted ? error.by : String(error));
}
await fleet.close();
