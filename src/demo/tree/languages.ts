import { extname } from "node:path";

const LANGUAGES: Readonly<Record<string, string>> = {
  ".c": "C",
  ".cc": "C++",
  ".cjs": "JavaScript",
  ".cpp": "C++",
  ".cs": "C#",
  ".css": "CSS",
  ".go": "Go",
  ".h": "C",
  ".html": "HTML",
  ".java": "Java",
  ".js": "JavaScript",
  ".json": "JSON",
  ".kt": "Kotlin",
  ".md": "Markdown",
  ".mjs": "JavaScript",
  ".php": "PHP",
  ".py": "Python",
  ".rb": "Ruby",
  ".rs": "Rust",
  ".sh": "Shell",
  ".sql": "SQL",
  ".swift": "Swift",
  ".toml": "TOML",
  ".ts": "TypeScript",
  ".tsx": "TypeScript",
  ".yaml": "YAML",
  ".yml": "YAML",
};

/** The language of a path by its extension; what is not known is `other`. */
export function languageOf(path: string): string {
  return LANGUAGES[extname(path).toLowerCase()] ?? "other";
}
