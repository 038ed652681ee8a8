import type { Pair, YAMLMap } from "yaml";
import { isScalar } from "yaml";
import type { EditContext } from "./collection-edits.ts";
import { insertItems, insertPairs } from "./collection-edits.ts";
import type { Addition, InjectSettings } from "./injection-plan.ts";
import { planInjection, RECORD_ANNOTATION } from "./injection-plan.ts";
import type { InjectionRecord } from "./injection-record.ts";
import { emptyRecord, formatRecord } from "./injection-record.ts";
import { ManifestProblem } from "./manifest-problem.ts";
import type { Manifests, Transformed } from "./manifests.ts";
import { contextOf, readManifests } from "./manifests.ts";
import type { PodTemplate } from "./pod-templates.ts";
import { namingObject } from "./pod-templates.ts";
import { SourceEdits } from "./source-text.ts";
import type { Path } from "./yaml-nodes.ts";
import { asMap, asSeq, colonEnd, find, rangeOf, refuseShared, valueOfNode } from "./yaml-nodes.ts";
import { renderFlow } from "./yaml-style.ts";

/**
 * The manifests with the DNS settings of their pods changed; everything else is as it was, to the octet.
 * @throws {ManifestProblem}
 */
export function injectManifests(text: string, settings: InjectSettings): Transformed {
  const manifests = readManifests(text);
  const edits = new SourceEdits();
  const skipped = manifests.templates.flatMap((template) => {
    const reason = namingObject(template.object, () => inject(template, manifests, settings, edits));
    return reason === undefined ? [] : [{ object: template.object, reason }];
  });
  return { text: edits.apply(manifests.source.text), skipped };
}

/** @returns Why the template stays as it is, where it does. */
function inject(
  template: PodTemplate,
  manifests: Manifests,
  settings: InjectSettings,
  edits: SourceEdits,
): string | undefined {
  const { document, map, namespace } = template;
  const plan = planInjection(valueOfNode(map, document), namespace, settings);
  if ("skip" in plan) return plan.skip;
  if ("problem" in plan) throw new ManifestProblem(plan.problem);
  const record = emptyRecord();
  const merging = { edits, context: contextOf(template, manifests), record };
  merge(map, plan.additions, [], merging);
  // What the annotation itself brings must be in the annotation: a first go finds it.
  merge(map, annotation(""), [], { ...merging, edits: new SourceEdits() });
  merge(map, annotation(formatRecord(record)), [], { ...merging, record: emptyRecord() });
  return undefined;
}

function annotation(text: string): Addition {
  const record: Addition = { type: "map", entries: { [RECORD_ANNOTATION]: { type: "text", text } } };
  const metadata: Addition = { type: "map", entries: { annotations: record } };
  return { type: "map", entries: { metadata } };
}

interface Merging {
  readonly edits: SourceEdits;
  readonly context: EditContext;
  readonly record: InjectionRecord;
}

function merge(map: YAMLMap, addition: Addition, path: Path, merging: Merging): void {
  if (addition.type !== "map") return;
  const { edits, context, record } = merging;
  const absent: (readonly [string, unknown])[] = [];
  for (const [key, inner] of Object.entries(addition.entries)) {
    const innerPath = [...path, key];
    const found = find(map, key);
    if (found.state === "absent") {
      noteCreated(inner, innerPath, record);
      absent.push([key, valueOf(inner)]);
    } else if (found.state === "null") {
      noteContents(inner, innerPath, record);
      fill(found.pair, innerPath, valueOf(inner), merging);
    } else if (inner.type === "map") {
      merge(asMap(found.value, innerPath), inner, innerPath, merging);
    } else if (inner.type === "list") {
      insertItems(asSeq(found.value, innerPath), inner.at, inner.items, edits, context);
      noteAdded(inner.items, innerPath, record);
    } else {
      replaceText(found.value, inner.text, innerPath, merging);
    }
  }
  insertPairs(map, anchorOf(map, path), absent, edits, context);
}

/** The pair before which new ones go: above `containers`, which are long. */
function anchorOf(map: YAMLMap, path: Path): Pair | undefined {
  const key = path.length === 0 ? "spec" : path.join(".") === "spec" ? "containers" : undefined;
  const named = key === undefined ? undefined : find(map, key);
  return named === undefined || named.state === "absent" ? map.items[0] : named.pair;
}

/** `dnsConfig:`, `dnsConfig: null` and `dnsConfig: ~` mean that there is none. */
function fill(pair: Pair, path: Path, value: unknown, { edits, context, record }: Merging): void {
  const node = pair.value;
  if (!isScalar(node))
    throw new ManifestProblem(`${path.join(".")} has no colon; accepted is a key with one`);
  refuseShared(node, path);
  const [start, end] = rangeOf(node);
  record.empty[path.join(".")] = context.source.text.slice(start, end);
  const text = renderFlow(value, context.flow);
  if (start === end) edits.insert(colonEnd(pair), ` ${text}`);
  else edits.replace(start, end, text);
}

function replaceText(node: unknown, text: string, path: Path, { edits, context, record }: Merging): void {
  const quote = isScalar(node) ? quoteOf(context.source.text[rangeOf(node)[0]]) : undefined;
  if (!isScalar(node) || quote === undefined)
    throw new ManifestProblem(
      `${path.join(".")} is not one word; accepted is a word, with quotes or without`,
    );
  refuseShared(node, path);
  record.replaced[path.join(".")] = String(node.value);
  edits.replace(...rangeOf(node), quote + text + quote);
}

/** Undefined where the text goes over lines. */
export function quoteOf(first: string): string | undefined {
  if (first === '"' || first === "'") return first;
  return first === "|" || first === ">" ? undefined : "";
}

function noteCreated(addition: Addition, path: Path, record: InjectionRecord): void {
  if (path.at(-1) === RECORD_ANNOTATION) return;
  record.created.push(path.join("."));
  noteContents(addition, path, record);
}

function noteContents(addition: Addition, path: Path, record: InjectionRecord): void {
  if (addition.type === "list") noteAdded(addition.items, path, record);
  if (addition.type !== "map") return;
  for (const [key, inner] of Object.entries(addition.entries)) noteContents(inner, [...path, key], record);
}

function noteAdded(items: readonly unknown[], path: Path, record: InjectionRecord): void {
  record.added[path.join(".")] = items.map(nameOfItem);
}

/** How the record calls an item of a list: a text by itself, a mapping by its `name`. */
export function nameOfItem(item: unknown): string {
  if (typeof item === "object" && item !== null && "name" in item) return String(item.name);
  return String(item);
}

function valueOf(addition: Addition): unknown {
  if (addition.type === "text") return addition.text;
  if (addition.type === "list") return addition.items;
  return Object.fromEntries(Object.entries(addition.entries).map(([key, inner]) => [key, valueOf(inner)]));
}
