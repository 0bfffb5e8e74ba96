// A process that does with leases what it is told, and says what came of it.
// Arguments: the state folder, its name as a holder.
import { openFleet, Refused, sqlite, type AcquireOptions, type LeaseHandle } from "stint";
import { dirname } from "node:path";

/** What is asked for, under the party's own name unless another is given. */
export type Asked = Partial<AcquireOptions>;

/** What a party is told to do, until it is killed. */
export type Order =
  | { readonly do: "acquire"; readonly options: Asked }
  | { readonly do: "renew" | "release"; readonly lease: string }
  | { readonly do: "check"; readonly path: string; readonly fence: number };

/** What came of it: a lease, a verdict or nothing; or what was said against it. */
export type Said =
  | {
      readonly ok: true;
      readonly id?: string;
      readonly fence?: number;
      readonly allowed?: boolean;
      readonly reason?: string;
    }
  | {
      readonly ok: false;
      readonly code: string;
      readonly facts: Readonly<Record<string, unknown>>;
    };

const [dir = "", holder = ""] = process.argv.slice(2);
const fleet = await openFleet({ store: sqlite({ dir }), steward: false });
const held = new Map<string, LeaseHandle>();

process.on("message", (order: Order) => void hear(order));
process.send?.({ ok: true } satisfies Said);

async function hear(order: Order): Promise<void> {
  process.send?.(await obey(order).catch(asSaid));
}

async function obey(order: Order): Promise<Said> {
  switch (order.do) {
    case "acquire": {
      const lease = await fleet.acquire({ holder, ...order.options });
      held.set(lease.id, lease);
      const { id, fence } = lease;
      return { ok: true, id, fence };
    }
    case "renew":
      await held.get(order.lease)?.renew();
      return { ok: true };
    case "release":
      await held.get(order.lease)?.release();
      return { ok: true };
    case "check": {
      const { path, fence } = order;
      const [verdict] = await fleet.check(path, { holder, fence, cwd: dirname(dir) });
      if (verdict === undefined) throw new Error("every path has a verdict");
      const { allowed, reason } = verdict;
      return { ok: true, allowed, reason };
    }
  }
}

function asSaid(error: unknown): Said {
  if (error instanceof Refused) {
    const { code, facts } = error.refusal;
    return { ok: false, code, facts };
  }
  const { code, message } = error as Error & { readonly code?: string };
  return { ok: false, code: code ?? "bug", facts: { message } };
}
