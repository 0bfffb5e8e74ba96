import { posix } from "node:path";
import type { Finding, Node, Rule, Source } from "./tree.ts";
import { listSources, parse, walkSource } from "./tree.ts";

const FILE_LINES_MAX = 400;
const TEST_FILE_LINES_MAX = 600;
const FUNCTION_LINES_MAX = 70;
const COLUMNS_MAX = 100;
const FOLDER_FILES_MAX = 15;
const COMMANDS_FOLDER = "src/cli/commands";
const COMMANDS_FOLDER_FILES_MAX = 50;

/** Files, folders, functions and lines stay below their limits. */
export const sizesAreKept: Rule = (tree) => [
  ...listSources(tree).flatMap((path) => {
    const source = parse(tree, path);
    return [...checkFile(source), ...checkLines(source), ...checkFunctions(source)];
  }),
  ...checkFolders(listSources(tree, "src")),
];

function checkFile({ path, text }: Source): Finding[] {
  const linesCount = text.split("\n").length - 1;
  const linesMax = path.startsWith("tests/") ? TEST_FILE_LINES_MAX : FILE_LINES_MAX;
  if (linesCount <= linesMax) return [];
  const advice = `at most ${linesMax} lines, got ${linesCount}; split by noun`;
  return [{ path, line: linesMax + 1, rule: "file-size", advice }];
}

function checkLines({ path, text }: Source): Finding[] {
  return text.split("\n").flatMap((line, index) => {
    // An address cannot be broken.
    if (line.length <= COLUMNS_MAX || /https?:\/\//.test(line)) return [];
    const advice = `at most ${COLUMNS_MAX} columns, got ${line.length}; break the line`;
    return [{ path, line: index + 1, rule: "line-size", advice }];
  });
}

function checkFunctions(source: Source): Finding[] {
  const findings: Finding[] = [];
  walkSource(source, (node, parent) => {
    if (!/Function/.test(node.type) || !("body" in node)) return;
    // The body of a test reads top to bottom like a script; what it calls is measured.
    if (source.path.startsWith("tests/") && isCallback(parent)) return;
    const line = source.lineAt(node.start);
    const linesCount = source.lineAt(node.end) - line + 1;
    if (linesCount <= FUNCTION_LINES_MAX) return;
    const advice = `at most ${FUNCTION_LINES_MAX} lines, got ${linesCount}; name its parts`;
    findings.push({ path: source.path, line, rule: "function-size", advice });
  });
  return findings;
}

function isCallback(parent: Node | undefined): boolean {
  return parent?.type === "CallExpression";
}

function checkFolders(paths: readonly string[]): Finding[] {
  const byFolder = Map.groupBy(paths, (path) => posix.dirname(path));
  return [...byFolder].flatMap(([folder, files]) => {
    const filesMax = folder === COMMANDS_FOLDER ? COMMANDS_FOLDER_FILES_MAX : FOLDER_FILES_MAX;
    if (files.length <= filesMax) return [];
    const advice = `at most ${filesMax} files, got ${files.length}; make a folder of some`;
    return [{ path: folder, line: 1, rule: "folder-size", advice }];
  });
}
