import { beforeAll, vi } from "vitest";
import { builtBin } from "../../support/cli.ts";
import { playAll } from "./scenario.ts";
import { STORE } from "./tables/store.ts";

// A store that is busy or answers nothing certain is asked again and again before it is given up.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => void (await builtBin()), 120_000);

playAll("a store fails with", STORE);
