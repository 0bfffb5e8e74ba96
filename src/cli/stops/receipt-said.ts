import type { JsonObject } from "../../kernel/json.ts";
import type { Receipt } from "../../library/kill/receipt.ts";
import { toWire } from "../../library/names.ts";
import { hasStopped } from "../../library/worker/stopping.ts";
import { PROBLEMS } from "../../protocol/problem.ts";
import type { Call, Said } from "../call.ts";
import { coloursFor } from "../text/colour.ts";
import { durationText } from "../text/duration.ts";
import { plainText } from "../text/plain.ts";
import { countText } from "../text/size.ts";

/** What a stop or a kill says at its end: its receipt, and exit 6 when it proves nothing. */
export function sayReceipt(call: Call, receipt: Receipt): Said {
  const { seq, proven } = receipt;
  return {
    data: { receipt: toWire(receipt, "receipt") as JsonObject },
    text: receiptText(call, receipt),
    ...(seq === null ? {} : { seq }),
    ...(proven ? {} : { exit: PROBLEMS.unproven.exit }),
  };
}

function receiptText(call: Call, receipt: Receipt): string {
  const colours = coloursFor(call.isColour);
  const { order, seq, stoppedCount, survivorCount, proven, why, durationMs } = receipt;
  const verb = order === "kill" ? "killed" : "stopped";
  const grades = Object.entries(receipt.grades).map(([grade, count]) => `${count} ${grade}`);
  const how = grades.length === 0 ? "" : ` (${grades.join(", ")})`;
  const lines = [
    `${verb} ${countText(stoppedCount, "worker")}${how} in ${durationText(durationMs)}`,
    ...receipt.workers
      .filter((worker) => !hasStopped(worker))
      .map(({ id, name }) => colours.red(`still alive: ${id} (${plainText(name)})`)),
    proven
      ? colours.green("proven: every end was seen")
      : colours.yellow(`not proven: ${why.map(plainText).join("; ")}`),
  ];
  if (survivorCount > 0) lines.push("`stint workers` shows what is left");
  if (seq !== null) lines.push(`receipt: \`stint receipt ${seq}\``);
  return lines.join("\n");
}
