import { beforeAll } from "vitest";
import { builtBin } from "../../support/cli.ts";
import { playAll } from "./scenario.ts";
import { HOST } from "./tables/host.ts";

beforeAll(async () => void (await builtBin()), 120_000);

playAll("a host answers with", HOST);
