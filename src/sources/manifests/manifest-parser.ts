import type { Document, LineCounter } from "yaml";

/** An object as it stands in a file, not looked at yet. */
export interface FoundObject {
  /** `web.yaml document 2 line 14`, and `item 3` for one in a list. */
  readonly where: string;
  readonly value: unknown;
}

export interface FileProblem {
  readonly where: string;
  readonly reason: string;
}

export interface ParsedFile {
  readonly objects: readonly FoundObject[];
  /** Documents that could not be read. What they held before stays in force. */
  readonly problems: readonly FileProblem[];
}

/** Against documents that grow a thousandfold through aliases. */
const MAX_ALIASES = 100;

/** Splits a file into objects: YAML with several documents, or JSON; lists are taken apart. Throws on nothing. */
export async function parseManifest(name: string, text: string): Promise<ParsedFile> {
  const content = text.startsWith("\uFEFF") ? text.slice(1) : text;
  try {
    return name.toLowerCase().endsWith(".json") ? parseJson(name, content) : await parseYaml(name, content);
  } catch (error) {
    // Nesting deeper than the stack, for example.
    return { objects: [], problems: [{ where: name, reason: describe(error) }] };
  }
}

function parseJson(name: string, text: string): ParsedFile {
  const where = `${name} document 1`;
  if (text.trim() === "") return { objects: [], problems: [] };
  try {
    return { objects: itemsOf({ where, value: JSON.parse(text) }, () => ""), problems: [] };
  } catch (error) {
    return { objects: [], problems: [{ where, reason: `JSON: ${describe(error)}` }] };
  }
}

async function parseYaml(name: string, text: string): Promise<ParsedFile> {
  // Loaded where it is used: an agent on an API server has no need of a YAML parser in its memory.
  const { isSeq, LineCounter, parseAllDocuments } = await import("yaml");
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const objects: FoundObject[] = [];
  const problems: FileProblem[] = [];
  // With nothing in the file the result is an empty list with properties, which is as good as an empty list.
  for (const [index, document] of Array.from(documents as Iterable<Document>).entries()) {
    const where = `${name} document ${index + 1} line ${lineAt(lines, document.contents?.range?.[0] ?? 0)}`;
    const value = valueOf(document, lines);
    if (value.problem !== undefined) {
      problems.push({
        where: `${name} document ${index + 1} line ${value.line}`,
        reason: `YAML: ${value.problem}`,
      });
      continue;
    }
    const items = document.contents === null ? undefined : document.get("items", true);
    const itemLine = (item: number): string => {
      const node = isSeq(items) ? items.items[item] : undefined;
      const range =
        typeof node === "object" && node !== null && "range" in node ? (node.range as number[]) : undefined;
      return range === undefined ? "" : ` line ${lineAt(lines, range[0])}`;
    };
    objects.push(...itemsOf({ where, value: value.value }, itemLine));
  }
  return { objects, problems };
}

type YamlValue =
  | { readonly problem: undefined; readonly value: unknown }
  | { readonly problem: string; readonly line: number };

function valueOf(document: Document, lines: LineCounter): YamlValue {
  const [error] = document.errors;
  if (error !== undefined) return { problem: error.message, line: lineAt(lines, error.pos[0]) };
  try {
    return { problem: undefined, value: document.toJS({ maxAliasCount: MAX_ALIASES }) };
  } catch (error) {
    return { problem: describe(error), line: lineAt(lines, document.contents?.range?.[0] ?? 0) };
  }
}

/** The objects in a document: itself, or the items of a `List`, `ServiceList` and the like; none in an empty one. */
function itemsOf(document: FoundObject, lineOfItem: (item: number) => string): FoundObject[] {
  const { where, value } = document;
  if (value === null || value === undefined) return [];
  if (typeof value !== "object") return [document];
  const { kind, apiVersion, items } = value as Record<string, unknown>;
  if (typeof kind !== "string" || !kind.endsWith("List") || !Array.isArray(items)) return [document];
  // The items of a typed list do not repeat their kind.
  const defaults = kind === "List" ? {} : { kind: kind.slice(0, -"List".length), apiVersion };
  return items.map((item: unknown, index) => ({
    where: `${where} item ${index + 1}${lineOfItem(index)}`,
    value:
      typeof item === "object" && item !== null && !Array.isArray(item) ? { ...defaults, ...item } : item,
  }));
}

function lineAt(lines: LineCounter, offset: number): number {
  return Math.max(1, lines.linePos(offset).line);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
