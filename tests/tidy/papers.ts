import { posix } from "node:path";
import type { Finding, Node, Rule, Tree } from "./tree.ts";
import { isNode, listSources, literalOf, nameOf, parse, walkSource } from "./tree.ts";

const SPEC = "SPEC.md";
const GLOSSARY = "GLOSSARY.md";
const PROBLEM_FILE = "src/protocol/problem.ts";
const EVENT_FILE = "src/kernel/event.ts";
const FIXTURES = "tests/fixtures/events";
const ID = "[A-Z]{1,3}[0-9]+";

/** Rule ids and tests match: each rule is named by a test, each id that is cited is defined. */
export const rulesAreTested: Rule = (tree) => {
  if (!tree.has(SPEC)) return [missing(SPEC, "spec", "it must list the rules: `- **AB1** …`")];
  const defined = listDefinitions(tree);
  const tested = listTestIds(tree);
  const testedIds = new Set(tested.map((one) => one.id));
  const definedIds = new Set(defined.map((one) => one.id));
  const findings: Finding[] = [];
  for (const [index, { id, line }] of defined.entries()) {
    const where = { path: SPEC, line, rule: "spec" };
    if (defined.findIndex((one) => one.id === id) < index)
      findings.push({ ...where, advice: `${id} is defined twice; an id is never reused` });
    if (!testedIds.has(id))
      findings.push({ ...where, advice: `${id} is tested nowhere; name a test "[${id}] …"` });
  }
  for (const { id, path, line } of [...tested, ...listMentions(tree)]) {
    if (definedIds.has(id)) continue;
    findings.push({ path, line, rule: "spec", advice: `${id} is not defined in ${SPEC}; add it` });
  }
  return findings;
};

type Mention = { readonly id: string; readonly path: string; readonly line: number };

function listDefinitions(tree: Tree): Mention[] {
  const pattern = new RegExp(`^\\s*[-*] \\*\\*(${ID})\\*\\*`);
  return listLines(tree, SPEC).flatMap((text, index) => {
    const id = pattern.exec(text)?.[1];
    return id === undefined ? [] : [{ id, path: SPEC, line: index + 1 }];
  });
}

/** The ids at the head of strings in tests and contract suites: `"[AB1] a full fleet …"`. */
function listTestIds(tree: Tree): Mention[] {
  const head = new RegExp(`^(?:\\[${ID}(?:, ?${ID})*\\] ?)+`);
  return listSources(tree, "tests", "src/testing").flatMap((path) => {
    const source = parse(tree, path);
    const found: Mention[] = [];
    walkSource(source, (node) => {
      const ids = head.exec(literalOf(node) ?? "")?.[0].match(new RegExp(ID, "g")) ?? [];
      found.push(...ids.map((id) => ({ id, path, line: source.lineAt(node.start) })));
    });
    return found;
  });
}

/** The ids that comments and papers cite in brackets; a Markdown link is no citation. */
function listMentions(tree: Tree): Mention[] {
  const cited = new RegExp(`\\[(${ID})\\](?!\\()`, "g");
  const inPapers = listPapers(tree).flatMap((path) =>
    listProse(tree, path).flatMap((text, index) =>
      [...text.matchAll(cited)].map((match) => ({ id: match[1] ?? "", path, line: index + 1 })),
    ),
  );
  const inComments = listSources(tree, "src").flatMap((path) => {
    const source = parse(tree, path);
    return source.comments.flatMap((comment) =>
      [...comment.value.matchAll(cited)].map((match) => ({
        id: match[1] ?? "",
        path,
        line: source.lineAt(comment.start + match.index),
      })),
    );
  });
  return [...inPapers, ...inComments];
}

/** Every code stands in the one table and in the glossary, and the table has no others. */
export const codesAreExplained: Rule = (tree) => {
  const table = findConstant(tree, PROBLEM_FILE, "PROBLEMS");
  if (table === undefined)
    return [missing(PROBLEM_FILE, "code", "it must export the table PROBLEMS, keyed by code")];
  const rows = listKeys(table).map((key) => key.text);
  const lists = [
    { path: "src/kernel/refusal.ts", name: "REFUSAL_CODES" },
    { path: "src/ports/fault.ts", name: "FAULT_CODES" },
  ].map((list) => ({ ...list, codes: listElements(findConstant(tree, list.path, list.name)) }));

  const findings = lists
    .filter((list) => list.codes.length === 0)
    .map((list) => missing(list.path, "code", `it must export the array ${list.name}`));
  for (const { path, codes } of lists) {
    for (const { text, start } of codes) {
      const line = parse(tree, path).lineAt(start);
      if (!rows.includes(text))
        findings.push({ path, line, rule: "code", advice: `add "${text}" to ${PROBLEM_FILE}` });
      if (!(tree.get(GLOSSARY) ?? "").includes(`\`${text}\``))
        findings.push({ path, line, rule: "code", advice: `explain \`${text}\` in ${GLOSSARY}` });
    }
  }
  return findings;
};

/** Every kind of event has a fixture of its first form, so that it is read for ever. */
export const eventsHaveFixtures: Rule = (tree) => {
  const kinds = listElements(findConstant(tree, EVENT_FILE, "EVENT_KINDS"));
  if (kinds.length === 0)
    return [missing(EVENT_FILE, "event", "it must export the array EVENT_KINDS")];
  const lacking = kinds
    .filter(({ text }) => !tree.has(`${FIXTURES}/${text}.v1.json`))
    .map(({ text, start }) => ({
      path: EVENT_FILE,
      line: parse(tree, EVENT_FILE).lineAt(start),
      rule: "event",
      advice: `"${text}" must have a decoding fixture ${FIXTURES}/${text}.v1.json`,
    }));
  const names = kinds.map(({ text }) => text);
  const orphaned = [...tree.keys()]
    .filter((path) => path.startsWith(`${FIXTURES}/`))
    .filter((path) => !names.includes(posix.basename(path).replace(/\.v\d+\.json$/, "")))
    .map((path) => ({
      path,
      line: 1,
      rule: "event",
      advice: `no event is named so in ${EVENT_FILE}; a kind is never removed or renamed`,
    }));
  return [...lacking, ...orphaned];
};

/** Links and paths in Markdown lead somewhere. */
export const linksLeadSomewhere: Rule = (tree) =>
  listPapers(tree).flatMap((path) =>
    listProse(tree, path).flatMap((text, index) => {
      const links = [...text.matchAll(/\[[^\]]*\]\(<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)/g)];
      const quoted = /`((?:src|tests|sim|bench|scripts|examples|docs|tooling)\/[\w./-]*)`/g;
      const targets = [
        ...links.map((match) => resolveLink(path, match[1] ?? match[2] ?? "")),
        ...[...text.matchAll(quoted)].map((match) => match[1] ?? ""),
      ];
      return targets
        .filter((target) => target !== undefined && !exists(tree, target))
        .map((target) => ({
          path,
          line: index + 1,
          rule: "link",
          advice: `"${target}" does not exist; mend the link or remove it`,
        }));
    }),
  );

function resolveLink(path: string, link: string): string | undefined {
  if (/^[a-z][a-z+.-]*:/.test(link)) return undefined;
  const [file = "", anchor] = link.split("#");
  const target = file === "" ? path : posix.join(posix.dirname(path), decodeURI(file));
  return anchor === undefined ? target : `${target}#${anchor}`;
}

function exists(tree: Tree, target: string): boolean {
  const [file = "", anchor] = target.split("#");
  const folder = file.endsWith("/") ? file : `${file}/`;
  const isFolder = [...tree.keys()].some((path) => path.startsWith(folder));
  if (!tree.has(file) && !isFolder) return false;
  return anchor === undefined || !file.endsWith(".md") || listAnchors(tree, file).includes(anchor);
}

/** The anchors that a heading gets when it is shown: lower case, no marks, dashes for blanks. */
function listAnchors(tree: Tree, path: string): string[] {
  return listProse(tree, path)
    .filter((line) => /^#{1,6} /.test(line))
    .map((line) => line.replace(/^#+ /, "").trim().toLowerCase())
    .map((title) => title.replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-"));
}

function listPapers(tree: Tree): string[] {
  return [...tree.keys()].filter((path) => path.endsWith(".md")).toSorted();
}

function listLines(tree: Tree, path: string): string[] {
  return (tree.get(path) ?? "").split("\n");
}

/** The lines of a paper, those inside code blocks emptied. */
function listProse(tree: Tree, path: string): string[] {
  let isCode = false;
  return listLines(tree, path).map((line) => {
    const isFence = /^\s*(```|~~~)/.test(line);
    if (isFence) isCode = !isCode;
    return isCode || isFence ? "" : line;
  });
}

function missing(path: string, rule: string, advice: string): Finding {
  return { path, line: 1, rule, advice };
}

/** The value of `export const NAME = …`, freed of `as const` and `satisfies`. */
function findConstant(tree: Tree, path: string, name: string): Node | undefined {
  if (!tree.has(path)) return undefined;
  for (const node of parse(tree, path).body) {
    const declaration = node["declaration"];
    if (!isNode(declaration) || declaration.type !== "VariableDeclaration") continue;
    const [declarator] = declaration["declarations"] as readonly Node[];
    if (nameOf(declarator?.["id"]) !== name) continue;
    let value = declarator?.["init"];
    while (isNode(value) && /^TS(As|Satisfies)Expression$/.test(value.type))
      value = value["expression"];
    return isFrozen(value) ? firstArgument(value) : isNode(value) ? value : undefined;
  }
  return undefined;
}

function isFrozen(value: unknown): value is Node {
  return isNode(value) && value.type === "CallExpression";
}

/** `Object.freeze({ … })` and the like: the table is what is frozen. */
function firstArgument(call: Node): Node | undefined {
  return (call["arguments"] as readonly Node[])[0];
}

type Text = { readonly text: string; readonly start: number };

function listElements(array: Node | undefined): Text[] {
  const elements = (array?.["elements"] ?? []) as readonly Node[];
  return elements.flatMap((node) => {
    const text = literalOf(node);
    return text === undefined ? [] : [{ text, start: node.start }];
  });
}

function listKeys(object: Node): Text[] {
  const properties = (object["properties"] ?? []) as readonly Node[];
  return properties.flatMap(({ key, start }) => {
    const text = literalOf(key) ?? nameOf(key);
    return text === undefined ? [] : [{ text, start }];
  });
}
