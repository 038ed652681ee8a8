import type { Document, Node, Pair, YAMLMap, YAMLSeq } from "yaml";
import { isAlias, isCollection, isMap, isPair, isScalar, isSeq } from "yaml";
import { ManifestProblem } from "./manifest-problem.ts";
import type { SourceText } from "./source-text.ts";

/** A place inside an object, such as `spec.template.spec`, for messages. */
export type Path = readonly string[];

/** What a key of a mapping holds: nothing at all, nothing but the key, or a value. */
export type Found =
  | { readonly state: "absent" }
  | { readonly state: "null"; readonly pair: Pair }
  | { readonly state: "value"; readonly pair: Pair; readonly value: Node };

export function find(map: YAMLMap, key: string): Found {
  const pair = map.items.find((item) => isScalar(item.key) && item.key.value === key);
  if (pair === undefined) return { state: "absent" };
  const value = pair.value as Node | null;
  if (value === null || (isScalar(value) && value.value === null)) return { state: "null", pair };
  return { state: "value", pair, value };
}

/** @throws {ManifestProblem} where it is no mapping that can be edited in its place. */
export function asMap(node: Node, path: Path): YAMLMap {
  refuseShared(node, path);
  if (!isMap(node)) throw new ManifestProblem(`${path.join(".")} is not a mapping`);
  if (find(node, "<<").state !== "absent")
    throw new ManifestProblem(
      `${path.join(".")} has a merge key (<<); accepted is a mapping that is written out`,
    );
  return node;
}

/** @throws {ManifestProblem} where it is no list that can be edited in its place. */
export function asSeq(node: Node, path: Path): YAMLSeq {
  refuseShared(node, path);
  if (!isSeq(node)) throw new ManifestProblem(`${path.join(".")} is not a list`);
  return node;
}

/** A value with an anchor stands in several places: a change of one would be a change of all. */
export function refuseShared(node: Node, path: Path): void {
  if (isAlias(node))
    throw new ManifestProblem(
      `${path.join(".")} is an alias (*${node.source}); accepted is a value that is written out`,
    );
  if ((isScalar(node) || isCollection(node)) && node.anchor !== undefined)
    throw new ManifestProblem(
      `${path.join(".")} has an anchor (&${node.anchor}); accepted is a value without`,
    );
}

/** What a node holds, as plain data. @throws {ManifestProblem} for aliases to nothing, and for too many of them. */
export function valueOfNode(node: Node, document: Document): unknown {
  try {
    return node.toJS(document);
  } catch (error) {
    throw new ManifestProblem(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** @returns Where the node begins and ends, without comments and blanks around it. */
export function rangeOf(node: Node): readonly [start: number, end: number] {
  const [start, end] = node.range ?? [];
  if (start === undefined || end === undefined) throw new Error("Cannot edit a node that was not parsed");
  return [start, end];
}

export function keyRange(pair: Pair): readonly [start: number, end: number] {
  return rangeOf(pair.key as Node);
}

/** Of an item of a flow collection: where it begins and ends. */
export function itemRange(item: unknown): readonly [start: number, end: number] {
  if (!isPair(item)) return rangeOf(item as Node);
  const [start, keyEnd] = keyRange(item);
  return [start, item.value === null ? keyEnd : rangeOf(item.value as Node)[1]];
}

/** The offset behind the last character that belongs to a pair or an item of a list, with all that is inside. */
export function contentEnd(item: unknown, source: SourceText): number {
  if (isPair(item)) return item.value === null ? keyRange(item)[1] : contentEnd(item.value, source);
  const node = item as Node;
  if (isCollection(node) && node.flow !== true && node.items.length > 0)
    return contentEnd(node.items.at(-1), source);
  const [start, end] = rangeOf(node);
  // A block scalar ends with its last line break.
  const lastLine = source.text[end - 1] === "\n" && end > start ? end - 1 : end;
  return source.text[lastLine - 1] === "\r" ? lastLine - 1 : lastLine;
}

/** Behind the colon of a pair; behind the key where it has none. */
export function colonEnd(pair: Pair): number {
  const colon = pair.srcToken?.sep?.find(({ type }) => type === "map-value-ind");
  return colon === undefined ? keyRange(pair)[1] : colon.offset + 1;
}

/** Where the dash of each item of a block list is. */
export function dashOffset(seq: YAMLSeq, index: number): number {
  const token = seq.srcToken?.type === "block-seq" ? seq.srcToken.items[index] : undefined;
  const dash = token?.start.find(({ type }) => type === "seq-item-ind");
  if (dash === undefined) throw new Error("Cannot edit a list that was not parsed with its tokens");
  return dash.offset;
}
