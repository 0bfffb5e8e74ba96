import type { State } from "../../kernel/state.ts";
import type {
  ContractDocument,
  FleetDocument,
  SupervisorDocument,
} from "../../protocol/document/fleet.ts";
import {
  contractSchema,
  fleetSchema,
  supervisorSchema,
} from "../../protocol/document/schema/fleet.ts";
import { decidedSchema } from "../../protocol/document/schema/journal.ts";
import { anyObject, fields } from "../../protocol/document/schema/shape.ts";
import { parseContract } from "../../protocol/contract.ts";
import { demandBesideGround } from "../../library/ground/above-ground.ts";
import type { WrittenAnswers } from "../answer/cached.ts";
import { giveAndTell } from "../route/give.ts";
import { json, route, type Route } from "../route/route.ts";
import { mustBear } from "../auth/caller.ts";
import type { ServerWorld } from "../world.ts";

/** The routes about the fleet itself and its contract. */
export function fleetRoutes(world: ServerWorld, written: WrittenAnswers): readonly Route[] {
  const { seat } = world.member;
  const tag = "fleet";
  return [
    route({
      name: "GET /v1/fleet",
      isTagged: true,
      tag,
      summary: "Show the fleet",
      answer: json(fleetSchema, "the fleet"),
      handle: async ({ request }) => {
        const state = await seat.loop.look();
        const make = (): FleetDocument => fleetDocument(state, world.version);
        return written.answer(request, { state, key: "fleet", make });
      },
    }),
    route({
      name: "GET /v1/supervisor",
      tag,
      summary: "Show the supervisor, if one answers",
      answer: json(supervisorSchema, "the supervisor, or null"),
      handle: async () => {
        const supervisor: SupervisorDocument = { supervisor: await world.bus.status() };
        return Response.json(supervisor);
      },
    }),
    route({
      name: "GET /v1/contract",
      isTagged: true,
      tag,
      summary: "Show the contract that is in force",
      answer: json(contractSchema, "the contract"),
      handle: async ({ request }) => {
        const state = await seat.loop.look();
        const make = (): ContractDocument => contractDocument(state);
        return written.answer(request, { state, key: "contract", make });
      },
    }),
    route({
      name: "POST /v1/contract",
      tag,
      summary: "Put a contract in force",
      details: "What it leaves out has its default. A tighter contract stops nobody.",
      body: fields({ contract: anyObject }),
      answer: json(decidedSchema, "the entries"),
      handle: async ({ body, caller, commandId }) => {
        const contract = parseContract(body.contract, { path: "body.contract" });
        await seat.loop.look();
        demandBesideGround(seat, contract);
        const so = { caller: mustBear(caller), commandId };
        return giveAndTell(world, { kind: "contract.enact", data: { contract }, ...so });
      },
    }),
  ];
}

function fleetDocument(state: State, version: string): FleetDocument {
  const { fleet, name, status, seq, at_ms, live_count, total_count, contract_hash } = state;
  return {
    fleet: fleet ?? "",
    name,
    status: status === "none" ? "open" : status,
    seq,
    at_ms,
    live_count,
    total_count,
    contract_hash,
    version,
  };
}

function contractDocument({ contract, contract_hash, book, seq }: State): ContractDocument {
  const { worktrees, require: require_lease } = book.rules;
  return { contract, contract_hash, worktrees, require_lease, seq };
}
