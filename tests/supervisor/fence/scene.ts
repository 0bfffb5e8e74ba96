// A fleet whose leases are enforced, on a ground of files, and workers that try to write there when
// they are told.
import { randomUUID } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";
import type { ContractOptions } from "stint";
import { needs } from "../../support/require-all.ts";
import type { Reply } from "../fixtures/ask.ts";
import { makeRig, type Rig, type Supervised } from "../rig.ts";

const polling = { timeout: 20_000, interval: 5 };

/** Does each `try-N` in its folder once: appends to the path in it, or opens and holds it. */
const WORKER = `
cd "$1" || exit 1
while :; do
  for order in try-*; do
    [ -e "$order" ] || continue
    read -r how path < "$order"
    rm "$order"
    case $how in
      append) { echo x >> "$path"; } 2> /dev/null && said=yes || said=no ;;
      hold) { exec 9>> "$path"; } 2> /dev/null && said=yes || said=no ;;
      let-go) exec 9>&-; said=yes ;;
      reach) [ -S "\${STINT_WORKER_TOKEN_FILE%/*}/worker.sock" ] && said=yes || said=no ;;
    esac
    echo $said > "new-$order"
    mv "new-$order" "said-$order"
  done
  sleep 0.01
done`;

/** A rig, its ground, and a way to its workers. */
export class Scene {
  readonly rig: Rig;
  readonly #inbox: string;

  constructor(rig: Rig, inbox: string) {
    this.rig = rig;
    this.#inbox = inbox;
  }

  /** A path on the ground. */
  at(...names: readonly string[]): string {
    return join(realpathSync(this.rig.folder), ...names);
  }

  /** Starts a worker that waits to be told what to try. */
  async worker(): Promise<string> {
    const folder = mkdtempSync(join(this.#inbox, "w-"));
    const id = await this.rig.start(["/bin/bash", "-c", WORKER, "worker", folder]);
    this.#folders.set(id, folder);
    return id;
  }

  readonly #folders = new Map<string, string>();

  /** Has a worker try something; whether it could. */
  async tries(worker: string, what: string, ...names: readonly string[]): Promise<boolean> {
    const said = this.tell(worker, what, ...names);
    await vi.waitUntil(() => existsSync(said), polling);
    return readFileSync(said, "utf8").trim() === "yes";
  }

  /** Tells a worker to try something; the file that is there once it has. */
  tell(worker: string, what: string, ...names: readonly string[]): string {
    const folder = this.#folders.get(worker) ?? "";
    const order = `try-${randomUUID()}`;
    writeFileSync(join(folder, `new-${order}`), `${what} ${this.at(...names)}\n`);
    renameSync(join(folder, `new-${order}`), join(folder, order));
    return join(folder, `said-${order}`);
  }

  /** A worker asks for a lease by its own socket; the answer. */
  acquire(worker: string, region: readonly string[], ttlMs = 60_000): Promise<Reply> {
    const data = { holder: { worker }, region, ttl_ms: ttlMs };
    return this.#asWorker(worker, "lease.acquire", data);
  }

  release(worker: string, lease: string): Promise<Reply> {
    return this.#asWorker(worker, "lease.release", { lease, claim: { worker } });
  }

  /** Asks for a lease for a worker until it is granted; the codes and facts of what was refused. */
  async acquireAtLast(worker: string, region: readonly string[]): Promise<readonly unknown[]> {
    const refused: unknown[] = [];
    const ask = async (): Promise<boolean> => {
      const { body } = await this.acquire(worker, region);
      if (!body.ok) refused.push(body.refusal);
      return body.ok;
    };
    await vi.waitUntil(ask, { ...polling, interval: 100 });
    return refused;
  }

  /** The kinds of the entries about leases and ends, since the beginning. */
  async kinds(): Promise<readonly string[]> {
    const kinds = (await this.rig.entries()).map(({ kind }) => kind);
    return kinds.filter((kind) => /^lease\.|^worker\.stop/.test(kind));
  }

  #asWorker(worker: string, kind: string, data: object): Promise<Reply> {
    const id = `c-${randomUUID()}`;
    return this.rig.worker(worker, "/v1/commands", { id, command: { kind, data } });
  }
}

/** Begins a fleet, and a supervisor that enforces leases; skips where this host cannot. */
export async function makeScene(
  contract: ContractOptions = {},
): Promise<{ readonly scene: Scene; readonly supervised: Supervised }> {
  const inbox = mkdtempSync(join(realpathSync(tmpdir()), "stint-inbox-"));
  onTestFinished(() => rmSync(inbox, { recursive: true }));
  const sandbox = { leases: "enforced", writable: [inbox] } as const;
  const rig = await makeRig({ ...contract, sandbox: { ...sandbox, ...contract.sandbox } });
  for (const path of ["src/api", "docs", ".git"])
    mkdirSync(join(rig.folder, path), { recursive: true });
  const supervised = await rig.supervise({ rung: "best" });
  const degraded = supervised.said[0]?.["degraded"];
  needs(Array.isArray(degraded) && !degraded.includes("leases"), "ground cannot be mounted here");
  return { scene: new Scene(rig, inbox), supervised };
}
