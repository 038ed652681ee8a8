import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");
const SRC = join(ROOT, "src");

/** Stands for the files directly in `src`, which put the stages together. */
export const COMPOSITION = "src/*.ts";

/** One import of a file below `src`. Paths are relative to `src`, with forward slashes. */
export interface SourceImport {
  readonly from: string;
  /** A path below `src`, the name of a package, or `node:...`. */
  readonly to: string;
  /** `import type`: nothing is left of it at run time. */
  readonly isTypeOnly: boolean;
  /** `import()`: loaded where it is used, if at all. */
  readonly isDynamic: boolean;
  readonly isOurs: boolean;
}

const STATIC_IMPORT = /^(?:import|export)\s+(?<type>type\s)?(?:[^"';]*?\sfrom\s+)?"(?<specifier>[^"]+)"/gm;
const DYNAMIC_IMPORT = /\bimport\("(?<specifier>[^"]+)"\)/g;

/** Files below `src` whose name ends in `.ts`, sorted. */
export function sourceFiles(): string[] {
  const entries = readdirSync(SRC, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(SRC, join(entry.parentPath, entry.name)))
    .sort();
}

export function readSource(file: string): string {
  return readFileSync(join(SRC, file), "utf8");
}

export function sourceImports(): SourceImport[] {
  return sourceFiles().flatMap((file) => importsOf(file, readSource(file)));
}

/** The stage that a file belongs to: the directory directly in `src`. */
export function stageOf(file: string): string {
  return file.includes("/") ? file.slice(0, file.indexOf("/")) : COMPOSITION;
}

function importsOf(file: string, text: string): SourceImport[] {
  const make = (match: RegExpExecArray, isDynamic: boolean): SourceImport => {
    const { specifier = "", type } = match.groups ?? {};
    const isRelative = specifier.startsWith(".");
    const to = isRelative ? join(dirname(file), specifier) : specifier;
    return {
      from: file,
      to,
      isTypeOnly: type !== undefined,
      isDynamic,
      isOurs: isRelative && !to.startsWith(".."),
    };
  };
  return [
    ...Array.from(text.matchAll(STATIC_IMPORT), (match) => make(match, false)),
    ...Array.from(text.matchAll(DYNAMIC_IMPORT), (match) => make(match, true)),
  ];
}
