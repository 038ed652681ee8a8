import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./source-imports.ts";

/** A document that is kept true by tests: its path from the root of the repository, and its text. */
export interface Document {
  readonly path: string;
  readonly text: string;
}

const TOP_LEVEL = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"];
const RUNBOOKS = "docs/runbooks";

export function documents(): Document[] {
  const runbooks = readdirSync(join(ROOT, RUNBOOKS)).map((name) => join(RUNBOOKS, name));
  return [...TOP_LEVEL, ...runbooks.sort()].map(readDocument);
}

export function readDocument(path: string): Document {
  return { path, text: readFileSync(join(ROOT, path), "utf8") };
}

/**
 * Rows of the table that follows the heading `## <heading>` or a line that begins with it, less the header; cells without the
 * space around them.
 */
export function tableAfter({ path, text }: Document, line: string): string[][] {
  const lines = text.split("\n");
  const start = lines.findIndex((each) => each.startsWith(line));
  if (start === -1) throw new Error(`${path} has no line that begins with "${line}"`);
  const first = lines.findIndex((each, index) => index > start && each.startsWith("|"));
  const after = lines.findIndex((each, index) => index > first && !each.startsWith("|"));
  return lines.slice(first + 2, after === -1 ? undefined : after).map(cellsOf);
}

/** What stands between backquotes in a cell. */
export function codeIn(cell: string): string[] {
  return Array.from(cell.matchAll(/`([^`]+)`/g), (match) => match[1]);
}

/** Commands of the ```sh blocks, one per line, without the remark behind `  #`. */
export function shellCommands({ text }: Document): string[] {
  return Array.from(text.matchAll(/^```sh\n(.*?)^```$/gms), (match) => match[1])
    .flatMap((block) => block.split("\n"))
    .map((line) => line.replace(/\s+# .*$/, "").trim())
    .filter((line) => line !== "");
}

/** Targets of the links of a document, less those that lead elsewhere. */
export function localLinks({ text }: Document): string[] {
  return Array.from(text.matchAll(/\]\(([^)\s]+)\)/g), (match) => match[1]).filter(
    (target) => !/^[a-z]+:/.test(target),
  );
}

/** The names under which a heading can be linked to, as GitHub makes them. */
export function anchors({ text }: Document): Set<string> {
  return new Set(
    Array.from(text.matchAll(/^#+ (.+)$/gm), ([, heading]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

function cellsOf(row: string): string[] {
  return row
    .replaceAll("\\|", "\0")
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.replaceAll("\0", "|").trim());
}
