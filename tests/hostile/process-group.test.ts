// [HF1] [HF2] What hostile workers can do on this rung.
import { tryRung } from "./rung-trials.ts";

tryRung("process-group");
