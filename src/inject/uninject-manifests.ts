import type { Document, Node, Pair, YAMLMap, YAMLSeq } from "yaml";
import { isMap, isScalar, isSeq } from "yaml";
import { removeContents, removeItems, removePairs } from "./collection-edits.ts";
import { nameOfItem, quoteOf } from "./inject-manifests.ts";
import { RECORD_ANNOTATION } from "./injection-plan.ts";
import type { InjectionRecord } from "./injection-record.ts";
import { isNew, LIST_PATHS, parseRecord, TEXT_PATH } from "./injection-record.ts";
import type { Transformed } from "./manifests.ts";
import { readManifests } from "./manifests.ts";
import type { PodTemplate } from "./pod-templates.ts";
import { namingObject } from "./pod-templates.ts";
import type { SourceText } from "./source-text.ts";
import { SourceEdits } from "./source-text.ts";
import type { Found, Path } from "./yaml-nodes.ts";
import {
  asMap,
  asSeq,
  colonEnd,
  contentEnd,
  find,
  rangeOf,
  refuseShared,
  valueOfNode,
} from "./yaml-nodes.ts";

/**
 * The manifests without what `injectManifests` added, by the record that it left; what was changed since stays.
 * @throws {ManifestProblem}
 */
export function uninjectManifests(text: string): Transformed {
  const manifests = readManifests(text);
  const edits = new SourceEdits();
  const skipped = manifests.templates.flatMap((template) => {
    const isDone = namingObject(template.object, () => uninject(template, manifests.source, edits));
    return isDone ? [] : [{ object: template.object, reason: `it has no annotation ${RECORD_ANNOTATION}` }];
  });
  return { text: edits.apply(text), skipped };
}

/** Below the parts of a pod template in which inject adds something. */
const CHILDREN: Readonly<Record<string, readonly string[]>> = {
  "": ["metadata", "spec"],
  metadata: ["annotations"],
  "metadata.annotations": [RECORD_ANNOTATION],
  spec: ["dnsPolicy", "dnsConfig", "initContainers", "volumes"],
  "spec.dnsConfig": ["nameservers", "searches", "options"],
};

function uninject({ document, map }: PodTemplate, source: SourceText, edits: SourceEdits): boolean {
  const text = recordText(map);
  if (text === undefined) return false;
  prune(map, [], { edits, source, document, record: parseRecord(text) });
  return true;
}

function recordText(template: YAMLMap): unknown {
  let node: Node = template;
  for (const key of ["metadata", "annotations", RECORD_ANNOTATION]) {
    const found: Found = isMap(node) ? find(node, key) : { state: "absent" };
    if (found.state !== "value") return undefined;
    node = found.value;
  }
  return isScalar(node) ? node.value : undefined;
}

interface Pruning {
  readonly edits: SourceEdits;
  readonly source: SourceText;
  readonly document: Document;
  readonly record: InjectionRecord;
}

/** Takes away what was added below a mapping. @returns Whether nothing is left; then it has taken away nothing. */
function prune(map: YAMLMap, path: Path, pruning: Pruning): boolean {
  const gone = new Set<unknown>();
  const inside = new SourceEdits();
  for (const key of CHILDREN[path.join(".")] ?? []) {
    const found = find(map, key);
    if (found.state !== "value") continue;
    const innerPath = [...path, key];
    const isGone = pruneValue(found.pair, found.value, innerPath, { ...pruning, edits: inside });
    if (isGone) gone.add(found.pair);
  }
  if (gone.size > 0 && gone.size === map.items.length) return true;
  pruning.edits.add(inside);
  removePairs(map, gone, path, pruning.edits, pruning.source);
  return false;
}

/** @returns Whether the pair has to go. */
function pruneValue(pair: Pair, value: Node, path: Path, pruning: Pruning): boolean {
  const name = path.join(".");
  const { record } = pruning;
  if (name === `metadata.annotations.${RECORD_ANNOTATION}`) return true;
  const isEmptied =
    name === TEXT_PATH
      ? pruneText(value, path, pruning)
      : LIST_PATHS.includes(name)
        ? pruneList(asSeq(value, path), path, pruning)
        : prune(asMap(value, path), path, pruning);
  if (!isEmptied) return false;
  const before = record.empty[name];
  if (before === undefined && isNew(path, record)) return true;
  empty(pair, value, before, pruning);
  return false;
}

/** As `prune`, for a text. */
function pruneText(value: Node, path: Path, { edits, source, record }: Pruning): boolean {
  const before = record.replaced[path.join(".")];
  if (before === undefined) return isNew(path, record);
  refuseShared(value, path);
  const quote = quoteOf(source.text[rangeOf(value)[0]]) ?? "";
  edits.replace(...rangeOf(value), quote + before + quote);
  return false;
}

/** As `prune`, for a list. */
function pruneList(seq: YAMLSeq, path: Path, { edits, source, document, record }: Pruning): boolean {
  const wanted = [...(record.added[path.join(".")] ?? [])];
  const gone = new Set<unknown>();
  for (const item of seq.items) {
    const index = wanted.indexOf(nameOfItem(valueOfNode(item as Node, document)));
    if (index === -1) continue;
    gone.add(item);
    wanted.splice(index, 1);
  }
  if (gone.size > 0 && gone.size === seq.items.length) return true;
  removeItems(seq, gone, path, edits, source);
  return false;
}

/** Leaves of a value what was there before inject: a key without one, or an empty collection. */
function empty(pair: Pair, value: Node, before: string | undefined, { edits, source }: Pruning): void {
  const text = before ?? (isSeq(value) ? "[]" : "{}");
  const isBlock = (isMap(value) || isSeq(value)) && value.flow !== true;
  const [start, end] = rangeOf(value);
  if (before === undefined && !isBlock && (isMap(value) || isSeq(value)))
    removeContents(value, edits, source);
  else if (!isBlock && text !== "") edits.replace(start, end, text);
  else edits.replace(colonEnd(pair), isBlock ? contentEnd(pair, source) : end, text === "" ? "" : ` ${text}`);
}
