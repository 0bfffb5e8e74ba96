import { lstatSync, readlinkSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import type { Seat } from "../library/seat.ts";
import { besideGround, findAboveGround, type NamedFolder } from "../library/ground/above-ground.ts";
import { Fault } from "../ports/fault.ts";
import type { StartOrder } from "../ports/supervision.ts";

/** What it takes to say where workers may write. */
interface WritableSeat extends Pick<Seat, "lookAtGround"> {
  readonly loop: Pick<Seat["loop"], "state">;
  readonly store: Pick<Seat["store"], "address">;
}

/** What a worker is started with, and by whom. */
interface StartedWith extends Pick<StartOrder, "cwd" | "run" | "env"> {
  readonly by: Pick<StartOrder["by"], "kind">;
}

/** What of its host a worker has; all absolute paths. */
export interface Reach {
  /** Folders that it may write to; none lies in another, and no worker may change what they are. */
  readonly writable: readonly string[];
  /** What it is to see though it lies in a folder for temporary files. */
  readonly shown: readonly string[];
  /** Where leases are enforced: folders that it may write to as far as it holds leases on them. */
  readonly ground?: readonly string[];
}

const NOTHING: Reach = { writable: [], shown: [] };

/** Links that are followed for one path. */
const linksMax = 40;

/**
 * Says what of its host each worker has. It writes to the fleet's ground and to what the contract
 * lets all; where nobody says which the ground is, to the folder that an operator starts it in. It
 * sees what an operator starts it with. A worker that starts another has no say in either: its
 * child has what itself has.
 */
export class Reaches {
  readonly #seat: WritableSeat;
  readonly #canMount: boolean;
  readonly #byWorker = new Map<string, Reach>();

  /** `canMount`: whether sandboxes can be let write to parts of their ground while they run. */
  constructor(seat: WritableSeat, canMount = false) {
    this.#seat = seat;
    this.#canMount = canMount;
  }

  /**
   * What a worker has; kept for its children until it is {@link forget}-ten. Throws `Fault`
   * `sandbox_failed` when the contract lets all write above ground whose leases are enforced.
   */
  of(id: string, parent: string | null, order: StartedWith): Reach {
    const inherited = parent === null ? NOTHING : (this.#byWorker.get(parent) ?? NOTHING);
    const isOperators = order.by.kind === "operator";
    const shown = [...inherited.shown, ...(isOperators ? shownBy(order) : [])];
    const reach = { ...this.#written(order, inherited), shown: [...new Set(shown)] };
    this.#byWorker.set(id, reach);
    return reach;
  }

  /** Forgets a worker that has ended. */
  forget(id: string): void {
    this.#byWorker.delete(id);
  }

  #written({ cwd, by }: StartedWith, inherited: Reach): Pick<Reach, "writable" | "ground"> {
    const sight = lookFrom(this.#seat);
    const isOperators = by.kind === "operator";
    const { leases } = this.#seat.loop.state().contract.sandbox;
    if (leases === "enforced" && this.#canMount) {
      // Who does not know where the ground lies can mount none of it: then nobody writes there.
      const ground = outermost(sight.ok ? sight.ground.topsOf(null) : []);
      const closed = sight.ok ? [...sight.ground.folders] : [cwd];
      if (sight.ok) demandBeside(this.#named(closed), closed);
      return { writable: without(this.#withContracts(closed), closed), ground };
    }
    const unknown = isOperators ? [cwd] : inherited.writable;
    return { writable: this.#withContracts(sight.ok ? sight.ground.folders : unknown) };
  }

  /**
   * The folders of a ground, which are real, and those that the contract names. What lies in one
   * of them, or is reached through it, is left out: it can be written to anyway, or could be made
   * to lead anywhere by whoever writes there.
   */
  #withContracts(ground: readonly string[]): readonly string[] {
    const found = this.#named(ground);
    const all = [...ground, ...found.map(({ real }) => real)];
    const reached = found.flatMap(({ path, real }) => follow(path, without(all, [real])) ?? []);
    return outermost([...ground, ...reached]);
  }

  /** The folders that the contract names, but for those that the ground leads to. */
  #named(ground: readonly string[]): readonly NamedFolder[] {
    const named = this.#seat.loop.state().contract.sandbox.writable.map(atHome);
    return named.flatMap((path) => {
      const real = follow(path, ground);
      return real === undefined ? [] : [{ path, real }];
    });
  }
}

/** Who writes above a ground moves it away, and another is found in its place by those who come. */
function demandBeside(named: readonly NamedFolder[], ground: readonly string[]): void {
  const above = findAboveGround(named, ground);
  if (above === undefined) return;
  const expected = besideGround(above.folder);
  const message = `[sandbox] writable must name ${expected}, got ${above.path}: nothing is run`;
  throw new Fault("sandbox_failed", message);
}

/** What an operator starts a worker with: where, which program, and where it looks for others. */
function shownBy({ cwd, run, env }: StartedWith): readonly string[] {
  const folders = (env["PATH"] ?? process.env["PATH"] ?? "").split(delimiter);
  return [cwd, run[0], ...folders].filter((path) => isAbsolute(path));
}

/**
 * The real path of what lies there; undefined where nothing does, or where the way leads through a
 * folder that workers write to.
 */
function follow(path: string, writable: readonly string[]): string | undefined {
  const names = path.split("/").filter(Boolean);
  let real = "/";
  for (let links = 0; names.length > 0;) {
    const name = names.shift() ?? "";
    if (name === "." || name === "..") {
      real = name === "." ? real : dirname(real);
      continue;
    }
    if (writable.some((one) => one === real || isIn(real, one))) return undefined;
    const next = join(real, name);
    const stat = lstatSync(next, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    if (!stat.isSymbolicLink()) real = next;
    else {
      const target = readlinkSync(next);
      links += 1;
      if (links > linksMax) return undefined;
      if (isAbsolute(target)) real = "/";
      names.unshift(...target.split("/").filter(Boolean));
    }
  }
  return real;
}

function outermost(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)].filter((path) => !paths.some((other) => isIn(path, other)));
}

function without(paths: readonly string[], others: readonly string[]): readonly string[] {
  return paths.filter((one) => !others.includes(one));
}

/** The ground of a fleet as it lies on this host now. */
export function lookFrom({ store, lookAtGround }: Pick<WritableSeat, "store" | "lookAtGround">) {
  const stateDir = store.address?.dir;
  return lookAtGround({ cwd: "/", ...(stateDir === undefined ? {} : { stateDir }) });
}

/** Whether a path lies in a folder. */
export function isIn(path: string, folder: string): boolean {
  return path.startsWith(join(folder, "/")) && path !== folder;
}

function atHome(path: string): string {
  return path.startsWith("~/") ? join(homedir(), path.slice(2)) : path;
}
