import type { Pair, YAMLMap, YAMLSeq } from "yaml";
import { ManifestProblem } from "./manifest-problem.ts";
import type { SourceEdits, SourceText } from "./source-text.ts";
import type { Path } from "./yaml-nodes.ts";
import { contentEnd, dashOffset, itemRange, keyRange, rangeOf } from "./yaml-nodes.ts";
import type { BlockStyle, FlowStyle } from "./yaml-style.ts";
import { renderBlockItem, renderBlockPair, renderFlow, renderFlowPair } from "./yaml-style.ts";

/**
 * Insertions into mappings and lists, and removals that undo them to the octet. In block style whole lines come and go; in flow style
 * (JSON is such) an item and the comma behind it, or, at the end, before it.
 */
export interface EditContext {
  readonly source: SourceText;
  readonly style: BlockStyle;
  readonly flow: FlowStyle;
}

/** @param anchor  The pair of the mapping before which they go; undefined where it has none. */
export function insertPairs(
  map: YAMLMap,
  anchor: Pair | undefined,
  entries: readonly (readonly [key: string, value: unknown])[],
  edits: SourceEdits,
  context: EditContext,
): void {
  const { source, style, flow } = context;
  if (entries.length === 0) return;
  if (map.flow === true) {
    const texts = entries.map(([key, value]) => renderFlowPair(key, value, flow));
    insertFlow(map, anchor === undefined ? 0 : map.items.indexOf(anchor), texts, edits, context);
  } else if (anchor !== undefined) {
    const lines = entries.flatMap(([key, value]) => renderBlockPair(key, value, style));
    insertLines(keyRange(anchor)[0], lines, edits, source);
  }
}

export function insertItems(
  seq: YAMLSeq,
  at: "start" | "end",
  values: readonly unknown[],
  edits: SourceEdits,
  context: EditContext,
): void {
  const { source, style, flow } = context;
  if (seq.flow === true)
    return insertFlowItems(
      seq,
      at,
      values.map((value) => renderFlow(value, flow)),
      edits,
      context,
    );
  const lines = values.flatMap((value) => renderBlockItem(value, style));
  if (at === "start") return insertLines(dashOffset(seq, 0), lines, edits, source);
  const lineBreak = source.lineBreak + " ".repeat(source.column(dashOffset(seq, seq.items.length - 1)));
  const end = source.lineEnd(contentEnd(seq.items.at(-1), source));
  edits.insert(end, lines.map((line) => lineBreak + line).join(""));
}

/** Not for all pairs of a mapping: in block style nothing would be left of it. */
export function removePairs(
  map: YAMLMap,
  pairs: ReadonlySet<unknown>,
  path: Path,
  edits: SourceEdits,
  source: SourceText,
): void {
  for (const run of runsOf(map.items, pairs))
    if (map.flow === true) removeFlow(run, edits);
    else removeLines(keyRange(run.first as Pair)[0], contentEnd(run.last, source), path, edits, source);
}

/** Not for all items of a list: in block style nothing would be left of it. */
export function removeItems(
  seq: YAMLSeq,
  items: ReadonlySet<unknown>,
  path: Path,
  edits: SourceEdits,
  source: SourceText,
): void {
  for (const run of runsOf(seq.items, items))
    if (seq.flow === true) removeFlow(run, edits);
    else
      removeLines(
        dashOffset(seq, seq.items.indexOf(run.first)),
        contentEnd(run.last, source),
        path,
        edits,
        source,
      );
}

/** All items of a collection in flow style; blanks behind them stay. */
export function removeContents(collection: YAMLMap | YAMLSeq, edits: SourceEdits, source: SourceText): void {
  const end = itemRange(collection.items.at(-1))[1];
  // A comma behind the last item is allowed, and without an item it is not.
  const comma = /^\s*,/.exec(source.text.slice(end));
  edits.remove(rangeOf(collection)[0] + 1, end + (comma?.[0].length ?? 0));
}

/** Items side by side of which none stays, and their neighbours. */
interface Run {
  readonly before: unknown;
  readonly first: unknown;
  readonly last: unknown;
  readonly after: unknown;
}

function runsOf(items: readonly unknown[], removed: ReadonlySet<unknown>): readonly Run[] {
  const runs: Run[] = [];
  for (let first = 0; first < items.length; first++) {
    if (!removed.has(items[first])) continue;
    let last = first;
    while (last + 1 < items.length && removed.has(items[last + 1])) last++;
    runs.push({
      before: items[first - 1],
      first: items[first],
      last: items[last],
      after: items[last + 1],
    });
    first = last;
  }
  return runs;
}

function insertLines(before: number, lines: readonly string[], edits: SourceEdits, source: SourceText): void {
  if (!source.isFirstOnLine(before))
    throw new ManifestProblem(
      `line ${source.lineNumber(before)}: a key or an item begins behind something else; accepted is one on a line of its own`,
    );
  const lineBreak = source.lineBreak + " ".repeat(source.column(before));
  edits.insert(commentsStart(before, source), lines.map((line) => line + lineBreak).join(""));
}

/**
 * Comments right above a line and in its column are about it: what is inserted goes above them. They are comments indeed: a text that
 * goes over lines is deeper than the keys around it.
 */
function commentsStart(at: number, source: SourceText): number {
  const column = source.column(at);
  let start = at;
  for (let lineStart = source.lineStart(at); lineStart > 0; lineStart = source.lineStart(start)) {
    const above = source.lineStart(lineStart - 1);
    const line = source.text.slice(above, source.lineEnd(above));
    if (line.search(/\S/) !== column || line[column] !== "#") break;
    start = above + column;
  }
  return start;
}

function removeLines(start: number, end: number, path: Path, edits: SourceEdits, source: SourceText): void {
  if (!source.isFirstOnLine(start))
    throw new ManifestProblem(
      `${path.join(".")} begins behind something else; accepted is a key or an item on a line of its own`,
    );
  const lineStart = source.lineStart(start);
  const lineEnd = source.lineEnd(end);
  // Without a line break at the end of the text, the one before the lines goes.
  if (lineEnd === source.text.length && lineStart > 0)
    edits.remove(source.lineEnd(source.lineStart(lineStart - 1)), lineEnd);
  else edits.remove(lineStart, source.nextLine(lineEnd));
}

type Flow = YAMLMap | YAMLSeq;

function insertFlowItems(
  seq: YAMLSeq,
  at: "start" | "end",
  texts: readonly string[],
  edits: SourceEdits,
  context: EditContext,
): void {
  if (at === "start" || seq.items.length === 0) return insertFlow(seq, 0, texts, edits, context);
  const separator = `,${flowGap(seq, 0, context)}`;
  edits.insert(itemRange(seq.items.at(-1))[1], texts.map((text) => separator + text).join(""));
}

/** @param index  Of the item before which they go. */
function insertFlow(
  collection: Flow,
  index: number,
  texts: readonly string[],
  edits: SourceEdits,
  context: EditContext,
): void {
  if (collection.items.length === 0) {
    edits.insert(rangeOf(collection)[0] + 1, texts.join(`,${context.flow.gap}`));
  } else {
    const separator = `,${flowGap(collection, index, context)}`;
    edits.insert(itemRange(collection.items[index])[0], texts.map((text) => text + separator).join(""));
  }
}

/** The blanks before an item, so that what is inserted beside it is written alike. */
function flowGap(collection: Flow, index: number, { source, flow }: EditContext): string {
  const start = itemRange(collection.items[index])[0];
  let blanksStart = start;
  while (/\s/.test(source.text[blanksStart - 1])) blanksStart--;
  const blanks = source.text.slice(blanksStart, start);
  return blanks.includes("\n") ? blanks : flow.gap;
}

function removeFlow({ before, first, last, after }: Run, edits: SourceEdits): void {
  if (after !== undefined) edits.remove(itemRange(first)[0], itemRange(after)[0]);
  else if (before !== undefined) edits.remove(itemRange(before)[1], itemRange(last)[1]);
}
