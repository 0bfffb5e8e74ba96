import type { Finding, Reference, Rule, Tree } from "./tree.ts";
import { listSources, literalOf, parse, resolveFrom, walkSource } from "./tree.ts";

/** What the files of src/compose/ put together: the adapters and those that use them. */
const ALL = (
  "kernel ports protocol runtime library journal permit pulse sandbox signing system output " +
  "client supervisor server service"
).split(" ");

/** What each room of src/ may import, besides itself; "" stands for the files of src/ itself. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  ports: ["kernel"],
  journal: ["kernel", "ports", "system"],
  permit: ["ports", "system"],
  pulse: ["kernel", "ports", "system"],
  sandbox: ["kernel", "ports", "system"],
  service: ["ports"],
  signing: ["kernel", "ports"],
  system: ["ports"],
  protocol: ["kernel", "ports"],
  runtime: ["kernel", "ports"],
  library: ["kernel", "ports", "protocol", "runtime"],
  bus: ["kernel", "ports", "protocol"],
  output: ["kernel", "ports", "system"],
  client: ["kernel", "ports", "protocol", "system"],
  config: ["kernel", "protocol"],
  server: "kernel ports protocol runtime library system".split(" "),
  supervisor: "kernel ports protocol runtime library system bus".split(" "),
  compose: ALL,
  cli: "kernel ports protocol runtime library client config output system compose demo".split(" "),
  demo: ["kernel", ""],
  testing: ["kernel", "ports", "journal", "system"],
  "": ["ports", "protocol", "library", "compose", "client"],
};

const DOORS = ["src/index.ts", "src/worker.ts", "src/client.ts", "src/testing/index.ts"];

/** Sub-folders that are adapters: two of one room know nothing of each other. */
const ADAPTERS = new Set(["memory", "sqlite", "postgres", "simulated", "process", "container"]);

/** Where the outside begins: files that nobody needs to import. */
const ENTRY_POINTS = [
  ...DOORS.map((path) => new RegExp(`^${path}$`)),
  /^src\/cli\/main\.ts$/,
  /^(sim|bench)\/main\.ts$/,
  /^(bin|scripts|examples)\/[^/]+$/,
  /^tests\/.*\.(test|setup|global|case)\.ts$/,
  /^[^/]+$/,
];

/** Imports follow the arrows between the rooms of src/. */
export const importsFollowTheArrows: Rule = (tree) =>
  listSources(tree, "src", "examples").flatMap((path) =>
    parse(tree, path).imports.flatMap(({ specifier, line }) => {
      const advice = isRelative(specifier)
        ? objectTo(path, resolveFrom(path, specifier))
        : undefined;
      return advice === undefined ? [] : [{ path, line, rule: "import-arrow", advice }];
    }),
  );

function objectTo(path: string, target: string): string | undefined {
  if (!path.startsWith("src/")) {
    return target.startsWith("src/") ? 'an example must import "stint", as a user does' : undefined;
  }
  if (!target.startsWith("src/")) return `src must not import ${target}; move what it needs in`;
  const [from, to] = [roomOf(path), roomOf(target)];
  const allowed = MAY_IMPORT[from];
  if (allowed === undefined) return `the room "${from}" has no arrows; add it to MAY_IMPORT`;
  if (from === "" && !DOORS.includes(path)) {
    return "src/ itself holds only the doors; move this file into a room";
  }
  if (from !== to && !allowed.includes(to)) {
    return `${from || "a door"} must not import ${to || target}; pass it in through a port`;
  }
  const [one, other] = [adapterOf(path), adapterOf(target)];
  if (from === to && one !== other && one !== undefined && other !== undefined) {
    return `adapter ${one} must not import adapter ${other}; share through ${from}/`;
  }
  return undefined;
}

function roomOf(path: string): string {
  const parts = path.split("/");
  return parts.length <= 2 ? "" : (parts[1] ?? "");
}

function adapterOf(path: string): string | undefined {
  const folder = path.split("/")[2]?.replace(/\.ts$/, "");
  return folder !== undefined && ADAPTERS.has(folder) ? folder : undefined;
}

/**
 * The source needs no package but those that package.json names: what can be bundled is there for
 * development only, and the check of the package knows all whose code is in the bundle.
 */
export const packagesAreDependencies: Rule = (tree) => {
  const manifest = JSON.parse(tree.get("package.json") ?? "{}") as {
    readonly dependencies?: Readonly<Record<string, string>>;
    readonly devDependencies?: Readonly<Record<string, string>>;
  };
  const named = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
  return listSources(tree, "src").flatMap((path) =>
    parse(tree, path)
      .imports.filter(({ specifier }) => !isRelative(specifier) && !specifier.startsWith("node:"))
      .filter(({ specifier }) => !named.some((name) => isOf(specifier, name)))
      .map(({ specifier, line }) => ({
        path,
        line,
        rule: "package",
        advice: `"${specifier}" is no dependency of package.json; add it there or do without`,
      })),
  );
};

function isOf(specifier: string, packageName: string): boolean {
  return specifier === packageName || specifier.startsWith(`${packageName}/`);
}

/** No file imports itself by way of others, types included. */
export const importsHaveNoCycle: Rule = (tree) => {
  const paths = listSources(tree);
  const done = new Set<string>();
  const findings: Finding[] = [];

  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      findings.push(describeCycle(tree, [...trail.slice(start), path]));
      return;
    }
    if (done.has(path)) return;
    done.add(path);
    for (const target of listTargets(tree, path)) visit(target, [...trail, path]);
  };
  for (const path of paths) visit(path, []);
  return findings;
};

function describeCycle(tree: Tree, cycle: readonly string[]): Finding {
  const [path = "", next = ""] = cycle;
  const found = parse(tree, path).imports.find((one) => resolveFrom(path, one.specifier) === next);
  return {
    path,
    line: found?.line ?? 1,
    rule: "import-cycle",
    advice: `${cycle.join(" → ")}; move what both need into a file of its own`,
  };
}

function listTargets(tree: Tree, path: string): string[] {
  return parse(tree, path)
    .imports.filter(({ specifier }) => isRelative(specifier))
    .map(({ specifier }) => resolveFrom(path, specifier))
    .filter((target) => tree.has(target));
}

/** Every source file is reached from a door, an entry point or a test; src/ not from tests. */
export const everyFileIsUsed: Rule = (tree) => {
  const paths = listSources(tree);
  const isEntry = (path: string): boolean => ENTRY_POINTS.some((entry) => entry.test(path));
  const reachedBySource = reach(
    tree,
    paths.filter((path) => isEntry(path) && path.startsWith("src/")),
  );
  const reachedByAll = reach(tree, paths.filter(isEntry));
  return paths
    .filter((path) => !(path.startsWith("src/") ? reachedBySource : reachedByAll).has(path))
    .map((path) => ({
      path,
      line: 1,
      rule: "unused-file",
      advice: "no entry point reaches this file; use it or delete it",
    }));
};

function reach(tree: Tree, from: readonly string[]): ReadonlySet<string> {
  const reached = new Set(from);
  // A set grows while it is iterated: each new path is visited in its turn.
  for (const path of reached) {
    for (const { specifier } of listReferences(tree, path)) {
      const target = resolveFrom(path, specifier);
      if (tree.has(target)) reached.add(target);
    }
  }
  return reached;
}

/** Imports, and strings that name a file to run as a process: `new URL("./child.ts", …)`. */
function listReferences(tree: Tree, path: string): readonly Reference[] {
  const source = parse(tree, path);
  const found = [...source.imports];
  walkSource(source, (node) => {
    const text = literalOf(node);
    if (text !== undefined && /^[\w./-]+\.ts$/.test(text)) {
      found.push({ specifier: text, line: source.lineAt(node.start) });
    }
  });
  return found;
}

/** Re-exports stand in the doors alone. */
export const onlyDoorsReExport: Rule = (tree) =>
  listSources(tree)
    .filter((path) => !DOORS.includes(path))
    .flatMap((path) => {
      const source = parse(tree, path);
      return source.body
        .filter((node) => node.type.startsWith("Export") && literalOf(node["source"]) !== undefined)
        .map((node) => ({
          path,
          line: source.lineAt(node.start),
          rule: "re-export",
          advice: "only the doors re-export; import from the file that defines it",
        }));
    });

function isRelative(specifier: string): boolean {
  return specifier.startsWith(".");
}
