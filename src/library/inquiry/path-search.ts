import type { Entry } from "../../kernel/entry.ts";
import { MAIN_WORKTREE, withoutWorktree } from "../../kernel/ground/worktree.ts";
import type { FilePath } from "../../kernel/ground/writing.ts";
import { leaseIdAt } from "../../kernel/lease/lease.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { placeIdAt } from "../../kernel/queue/place.ts";
import { DEFAULT_NAMESPACE } from "../../kernel/region/pattern.ts";
import type { Resource } from "../../kernel/region/resource.ts";
import type { State } from "../../kernel/state.ts";
import type { Journal } from "../../ports/journal.ts";
import { entryAt } from "./backwards.ts";
import { RulesOfGround } from "./rules-of-ground.ts";
import { hasPath } from "./standing.ts";

/** Patterns, and the worktree that they are meant on; null where worktrees share their ground. */
interface Ground {
  readonly regions: readonly (readonly string[])[];
  readonly worktree: string | null;
}

/** What a command about leases may ask for; which of it there is follows from its kind. */
interface Asked {
  readonly region?: readonly string[];
  readonly lanes?: readonly string[];
  readonly worktree?: string;
  readonly lease?: string;
  readonly place?: string;
}

/** How many grants are remembered that do not stand beside what follows from them. */
const rememberedMax = 10_000;

/** How many entries about a lease are looked through for what it has given back. */
const narrowedMax = 64;

/** Tells of entries, from the newest to the oldest, whether they are about one path. */
export class PathSearch {
  readonly #journal: Journal;
  readonly #file: FilePath;
  readonly #resource: Resource;
  readonly #foldsCase: boolean;
  readonly #rules: RulesOfGround;
  readonly #grounds = new Map<string, Ground | undefined>();
  #page: ReadonlyMap<number, Entry> = new Map();

  constructor(so: { readonly journal: Journal; readonly state: State; readonly file: FilePath }) {
    const { path, namespace = DEFAULT_NAMESPACE } = so.file;
    this.#journal = so.journal;
    this.#file = so.file;
    this.#resource = { namespace, segments: path.split("/") };
    this.#foldsCase = so.state.book.foldsCase;
    this.#rules = new RulesOfGround(so.journal, so.state.book.rules);
  }

  /** Goes on with another page: what stands in it is not read twice. */
  turnTo(page: readonly Entry[]): void {
    this.#page = new Map(page.map((entry) => [entry.seq, entry]));
  }

  /** Goes past an entry: what was enacted by it was not in force before. */
  pass({ kind, seq }: Entry): void {
    if (kind === "lanes.enacted") this.#rules.passEnactment(seq);
  }

  /** Whether it takes a closer look to know of an entry: most are plainly about something else. */
  mayBeThere(entry: Entry): boolean {
    if (entry.kind === "command.refused") return true;
    const id = leaseChangedBy(entry);
    if (id === undefined) return false;
    const grant = this.#page.get(seqIn(id));
    return grant === undefined || this.#has(groundIn(grant, id));
  }

  /** Whether an entry refuses a command about ground that has the path. */
  async isRefusedThere({ kind, command, seq }: Entry): Promise<boolean> {
    if (kind !== "command.refused" || command === null) return false;
    // Any command's data is an object; only fields that mean the same in all of them are looked at.
    const asked = command.data as Asked;
    if (!/^(?:lease|place)\./.test(command.kind)) return false;
    if (asked.lease !== undefined) return this.#isOnLease(asked.lease, seq, asked.region);
    if (asked.place !== undefined) return this.#has(await this.#groundOf(asked.place));
    return this.#isAsked(asked);
  }

  /** Whether an entry grants, changes or ends a lease that had the path until then. */
  async isChangeThere(entry: Entry): Promise<boolean> {
    const id = leaseChangedBy(entry);
    if (id === undefined) return false;
    if (entry.kind === "lease.granted") return this.#has(groundIn(entry, id));
    return this.#isOnLease(id, entry.seq);
  }

  /** On ground as it was asked for, by patterns or by the names that lanes had then. */
  async #isAsked({ region, lanes = [], worktree = MAIN_WORKTREE }: Asked): Promise<boolean> {
    if (region !== undefined && !this.#hasRegion(region)) return false;
    // What is asked for where nobody said anything of worktrees is the same in all of them.
    const isElsewhere = this.#file.namespace === undefined && worktree !== this.#file.worktree;
    if (region !== undefined && !isElsewhere) return true;
    const rules = await this.#rules.inForce();
    if (isElsewhere && rules.worktrees === "own_ground") return false;
    if (region !== undefined) return true;
    return rules.lanes
      .filter(({ name, aliases = [] }) => [name, ...aliases].some((one) => lanes.includes(one)))
      .some((lane) => this.#hasRegion(lane.region));
  }

  /** On what a lease had before an entry, or on a region that was asked for of it. */
  async #isOnLease(id: string, seq: number, region?: readonly string[]): Promise<boolean> {
    const ground = await this.#groundOf(id);
    if (region !== undefined)
      return ground !== undefined && this.#has({ ...ground, regions: [region] });
    if (!this.#has(ground)) return false;
    const before = await this.#narrowedBefore(id, seq);
    return before === undefined || this.#hasRegion(before);
  }

  /** What a lease or a place had when it began; undefined where the id is of no such. */
  async #groundOf(id: string): Promise<Ground | undefined> {
    const seq = seqIn(id);
    const near = this.#page.get(seq);
    if (near !== undefined) return groundIn(near, id);
    if (this.#grounds.has(id)) return this.#grounds.get(id);
    const entry = await entryAt(this.#journal, seq);
    const ground = entry === undefined ? undefined : groundIn(entry, id);
    const [oldest] = this.#grounds.keys();
    if (this.#grounds.size >= rememberedMax && oldest !== undefined) this.#grounds.delete(oldest);
    this.#grounds.set(id, ground);
    return ground;
  }

  /** What a lease had been narrowed to before an entry; undefined where it never was. */
  async #narrowedBefore(id: string, seq: number): Promise<readonly string[] | undefined> {
    for (const limit of [narrowedMax, LIMITS.readEntriesMax]) {
      const entries = await this.#journal.about(id, limit);
      for (const entry of entries)
        if (entry.kind === "lease.narrowed" && entry.seq < seq)
          return withoutWorktree(entry.data.region);
      if (entries.length < limit) return undefined;
    }
    return undefined;
  }

  #has(ground: Ground | undefined): boolean {
    if (ground === undefined) return false;
    const { namespace, worktree } = this.#file;
    const isElsewhere = ground.worktree !== null && ground.worktree !== worktree;
    if (namespace === undefined && isElsewhere) return false;
    return ground.regions.some((region) => this.#hasRegion(region));
  }

  #hasRegion(patterns: readonly string[]): boolean {
    return hasPath(patterns, this.#resource, this.#foldsCase);
  }
}

/** The lease that an entry grants, changes or ends; undefined for any other entry. */
export function leaseChangedBy(entry: Entry): string | undefined {
  switch (entry.kind) {
    case "lease.granted":
      return leaseIdAt(entry.seq);
    case "lease.narrowed":
    case "lease.handed_over":
    case "lease.released":
    case "lease.revoked":
    case "lease.lapsed":
      return entry.data.lease;
    default:
      return undefined;
  }
}

/** The place of the entry by which a lease or a place in the queue began; NaN for no such id. */
function seqIn(id: string): number {
  return Number(/^[lq]-([1-9][0-9]*)$/.exec(id)?.[1] ?? Number.NaN);
}

/** What began by an entry, where that is what has the id: a place and a lease may share a seq. */
function groundIn(entry: Entry, id: string): Ground | undefined {
  if (entry.kind === "lease.granted" && id === leaseIdAt(entry.seq))
    return placed([entry.data.region], entry.data.worktree);
  if (entry.kind !== "place.queued" || id !== placeIdAt(entry.seq)) return undefined;
  const { grounds, worktree } = entry.data;
  return placed(
    grounds.map(({ region }) => region),
    worktree,
  );
}

function placed(regions: readonly (readonly string[])[], worktree: string | undefined): Ground {
  return worktree === undefined
    ? { regions, worktree: null }
    : { regions: regions.map(withoutWorktree), worktree };
}
