import { beforeAll } from "vitest";
import { builtBin } from "../../support/cli.ts";
import { playAll } from "./scenario.ts";
import { ADMISSION } from "./tables/admission.ts";
import { FLEET } from "./tables/fleet.ts";
import { LEASE } from "./tables/lease.ts";
import { MANIFEST } from "./tables/manifest.ts";
import { QUEUE } from "./tables/queue.ts";
import { WORKER } from "./tables/worker.ts";

beforeAll(async () => void (await builtBin()), 120_000);

playAll("an admission is refused by", ADMISSION);
playAll("a manifest is refused by", MANIFEST);
playAll("what is done with a worker is refused by", WORKER);
playAll("ground is refused by", LEASE);
playAll("waiting is refused by", QUEUE);
playAll("a fleet refuses by", FLEET);
