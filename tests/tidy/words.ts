import type { Comment, Finding, Node, Rule, Source } from "./tree.ts";
import { isNode, listSources, nameOf, parse, walkSource } from "./tree.ts";

const FORBIDDEN_NAMES = new Set(
  "util utils common helper helpers types core lib misc services managers manager shared".split(
    " ",
  ),
);
const UNFINISHED = /\b(FIXME|TODO|XXX|HACK)\b/;
const SUPPRESSION = /\b(?:oxlint|eslint)-disable|@ts-(?:ignore|expect-error|nocheck)/;
const REASONED = /(?:oxlint|eslint)-disable[\w-]* [^]+ -- \S|@ts-expect-error \S/;
/** Where a program talks to its user. */
const SPEAKING = /^(src\/(cli|demo)|sim|bench|scripts|examples)\//;
const SUITES = new Set(["test", "it", "describe", "suite"]);
const MODIFIERS = new Set(["concurrent", "sequential", "fails"]);
const UNRUN = new Set(["only", "skip", "todo", "skipIf", "runIf"]);

/** Nothing is left unfinished, and no rule is switched off without a reason. */
export const nothingIsUnfinished: Rule = (tree) =>
  listSources(tree).flatMap((path) => {
    const source = parse(tree, path);
    return source.comments.flatMap((comment): Finding[] => {
      const line = source.lineAt(comment.start);
      const word = UNFINISHED.exec(comment.value)?.[1];
      if (word !== undefined) {
        const advice = `"${word}" must not be committed; do it, or delete the note`;
        return [{ path, line, rule: "unfinished", advice }];
      }
      if (!SUPPRESSION.test(comment.value) || REASONED.test(comment.value)) return [];
      const advice = "a suppression must give its reason: `oxlint-disable-next-line RULE -- why`";
      return [{ path, line, rule: "suppression", advice }];
    });
  });

/** Every test runs, alone or with the others. */
export const everyTestRuns: Rule = (tree) =>
  findNodes(tree, (node, path) => {
    const unrun = path.startsWith("tests/") ? nameUnrun(node) : undefined;
    if (unrun === undefined) return undefined;
    const advice = `".${unrun}" hides tests; remove it, or call skipLoudly(reason) in the test`;
    return { rule: "unrun-test", advice };
  });

function nameUnrun(node: Node): string | undefined {
  if (node.type !== "MemberExpression") return undefined;
  const property = nameOf(node["property"]);
  if (property === undefined || !UNRUN.has(property)) return undefined;
  let object = node["object"];
  while (isNode(object) && MODIFIERS.has(nameOf(object["property"]) ?? ""))
    object = object["object"];
  return SUITES.has(nameOf(object) ?? "") ? property : undefined;
}

/** Only programs that talk to a user print. */
export const onlyProgramsPrint: Rule = (tree) =>
  findNodes(tree, (node, path) => {
    if (SPEAKING.test(path) || node.type !== "MemberExpression") return undefined;
    if (nameOf(node["object"]) !== "console") return undefined;
    return { rule: "console", advice: "only programs print; return it, or use the log port" };
  });

type Fault = { readonly rule: string; readonly advice: string };

function findNodes(
  tree: Parameters<Rule>[0],
  judge: (node: Node, path: string) => Fault | undefined,
): Finding[] {
  const findings: Finding[] = [];
  for (const path of listSources(tree)) {
    const source = parse(tree, path);
    walkSource(source, (node) => {
      const fault = judge(node, path);
      if (fault !== undefined) findings.push({ path, line: source.lineAt(node.start), ...fault });
    });
  }
  return findings;
}

/** Files are named after what they hold, in kebab case. */
export const filesAreNamedWell: Rule = (tree) =>
  listSources(tree).flatMap((path) => {
    const names = path.split("/");
    const vague = names.flatMap((name) => name.split(/[-.]/)).find((w) => FORBIDDEN_NAMES.has(w));
    if (vague !== undefined) {
      const advice = `"${vague}" says nothing; name it after the noun it is about`;
      return [{ path, line: 1, rule: "file-name", advice }];
    }
    const crooked = names.find((name) => !/^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*$/.test(name));
    if (crooked === undefined) return [];
    const advice = `"${crooked}" must be kebab-case`;
    return [{ path, line: 1, rule: "file-name", advice }];
  });

/** Every export carries a docstring that begins with a full sentence. */
export const exportsAreDocumented: Rule = (tree) =>
  listSources(tree)
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".config.ts"))
    .flatMap((path) => {
      const source = parse(tree, path);
      return source.body
        .filter((node) => node.type === "ExportNamedDeclaration" && isNode(node["declaration"]))
        .filter((node, index, all) => !isLaterOverload(node, all[index - 1]))
        .flatMap((node): Finding[] => {
          const advice = objectToDocstring(docstringOf(source, node));
          const line = source.lineAt(node.start);
          return advice === undefined ? [] : [{ path, line, rule: "docstring", advice }];
        });
    });

function isLaterOverload(node: Node, before: Node | undefined): boolean {
  const name = (of: Node): string | undefined =>
    isNode(of["declaration"]) ? nameOf(of["declaration"]["id"]) : undefined;
  const isOverload =
    before !== undefined &&
    isNode(before["declaration"]) &&
    before["declaration"].type === "TSDeclareFunction";
  return isOverload && name(node) === name(before);
}

function docstringOf(source: Source, node: Node): Comment | undefined {
  return source.comments.findLast(
    (comment) =>
      comment.end <= node.start && source.text.slice(comment.end, node.start).trim() === "",
  );
}

function objectToDocstring(comment: Comment | undefined): string | undefined {
  if (comment === undefined || !comment.value.startsWith("*")) {
    return "an export must have a docstring: /** A full sentence. */";
  }
  const text = comment.value.replaceAll(/^\s*\*+ ?/gm, "").trim();
  const paragraph = (text.split(/\n\s*\n|\n@/)[0] ?? "").replaceAll(/\s+/g, " ").trim();
  // A sentence: begins with a capital, a number or code, has words, ends with a mark.
  if (/^[\p{Lu}\d`"[({<].*? .*[.:!?)`]/u.test(paragraph)) return undefined;
  return `a docstring must begin with a full sentence, got "${paragraph.slice(0, 60)}"`;
}
