import { beforeAll } from "vitest";
import { builtBin } from "../../support/cli.ts";
import { playAll } from "./scenario.ts";
import { INPUT } from "./tables/input.ts";
import { JOURNAL } from "./tables/journal.ts";

beforeAll(async () => void (await builtBin()), 120_000);

playAll("a call ends with", INPUT);
playAll("a journal fails with", JOURNAL);
