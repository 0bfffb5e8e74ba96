import type { CommandKind } from "../../kernel/command.ts";
import { answerWithoutPermit } from "../../library/kill/adoption.ts";
import { parseCommand } from "../../protocol/command.ts";
import type { Answer } from "../../runtime/loop.ts";
import { answerRefusal } from "../answer/problem.ts";
import type { Caller } from "../auth/caller.ts";
import { traceCommand } from "../telemetry.ts";
import type { ServerWorld } from "../world.ts";

/** A command as a request gives it. */
export interface Order {
  readonly kind: CommandKind;
  readonly data: object;
  readonly caller: Caller;
  readonly commandId: string | undefined;
}

/**
 * Has a command carried in its caller's name, through the supervisor where one serves. Throws an
 * InputError for a body that is none of its kind, and `Fault`s.
 */
export async function give({ member }: Pick<ServerWorld, "member">, order: Order): Promise<Answer> {
  const { kind, data, caller, commandId } = order;
  const command = parseCommand({ kind, data });
  // A kill that is not in the journal yet binds all the same.
  const killed = await answerWithoutPermit(member.seat, kind);
  if (killed !== null) return killed;
  const id = commandId === undefined ? {} : { id: commandId };
  return traceCommand(command, () => member.seat.loop.submit(command, caller.actor, id));
}

/** Has a command carried and answers what it has written. */
export async function giveAndTell(
  world: Pick<ServerWorld, "member">,
  order: Order,
): Promise<Response> {
  return tell(await give(world, order));
}

/** Answers what a command has written, or the rules' no. */
export function tell(answer: Answer): Response {
  if (!answer.ok) return answerRefusal(answer.refusal, answer.seq);
  const { seq, entries } = answer;
  return Response.json({ seq, entries });
}
