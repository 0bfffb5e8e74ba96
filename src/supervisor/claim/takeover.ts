import { connect } from "node:net";
import { Fault } from "../../ports/fault.ts";
import type { Timers } from "../../runtime/timers.ts";
import { operatorSocketOf, type StatePlaces } from "../../system/places.ts";
import { readAbout, type About } from "./about.ts";
import { Claim } from "./claim.ts";

/** How long a supervisor that has the claim is given until it answers, ms. */
const answersWithinMs = 10_000;

/** How often the claim is tried meanwhile, ms. */
const tryEveryMs = 50;

/** Somebody else supervises the fleet, and answers: there is nothing to do. */
export class AlreadySupervised extends Error {
  override readonly name = "AlreadySupervised";
  /** Who it is, as it wrote it down. */
  readonly about: Partial<About>;

  constructor(about: Partial<About>) {
    super(`the fleet must have no supervisor to get one, process ${about.pid ?? "?"} is it`);
    this.about = about;
  }
}

/**
 * Takes the claim, also that of a process that is about to let go of it.
 *
 * Throws {@link AlreadySupervised} when another process has it and answers on its socket, and
 * `Fault` `supervisor_unreachable` when it has it and does not answer in time.
 */
export async function takeClaim(state: StatePlaces, timers: Timers): Promise<Claim> {
  const deadlineMs = performance.now() + answersWithinMs;
  for (;;) {
    const claim = Claim.take(state.claim);
    if (claim !== undefined) return claim;
    const about = readAbout(state.about) ?? {};
    if (await answers(operatorSocketOf(state.dir))) throw new AlreadySupervised(about);
    if (performance.now() >= deadlineMs) {
      const message =
        `the supervisor of ${state.dir}, process ${about.pid ?? "?"}, must answer within ` +
        `${answersWithinMs} ms, it has not`;
      throw new Fault("supervisor_unreachable", message, { retryable: true });
    }
    await timers.wait(tryEveryMs);
  }
}

/** Whether anybody listens on a socket. */
function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once("connect", () => {
      connection.destroy();
      resolve(true);
    });
    // Nobody: no such file, or nobody listens on it any more.
    connection.once("error", () => resolve(false));
  });
}
