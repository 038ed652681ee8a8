import type { Document, Node, YAMLMap } from "yaml";
import { isMap, isScalar, isSeq, parseAllDocuments } from "yaml";
import { ManifestProblem } from "./manifest-problem.ts";
import type { Path } from "./yaml-nodes.ts";
import { asMap, find } from "./yaml-nodes.ts";

/** The part of an object that describes a pod: it has `metadata` and `spec`. */
export interface PodTemplate {
  readonly document: Document;
  readonly map: YAMLMap;
  /** `Deployment shop/web`, for messages. */
  readonly object: string;
  /** Of the object; undefined where it leaves it to whoever applies it. */
  readonly namespace: string | undefined;
}

const POD: Path = [];
const TEMPLATE: Path = ["spec", "template"];

/** Where each kind has its pod template, by API group. */
const TEMPLATE_PATHS: Readonly<Record<string, Readonly<Record<string, Path>>>> = {
  "": { Pod: POD, ReplicationController: TEMPLATE },
  apps: { Deployment: TEMPLATE, StatefulSet: TEMPLATE, DaemonSet: TEMPLATE, ReplicaSet: TEMPLATE },
  batch: { Job: TEMPLATE, CronJob: ["spec", "jobTemplate", "spec", "template"] },
};

/**
 * The documents of a YAML or JSON text.
 * @throws {ManifestProblem} with line and column where it is neither.
 */
export function parseManifests(text: string): readonly Document[] {
  const documents = parseAllDocuments(text, { keepSourceTokens: true, logLevel: "silent" });
  for (const { errors } of documents) {
    if (errors.length === 0) continue;
    const [{ message, linePos }] = errors;
    const where = linePos === undefined ? "" : ` at line ${linePos[0].line}, column ${linePos[0].col}`;
    throw new ManifestProblem(`not valid YAML${where}: ${message.split(/ at line \d|\n/, 1)[0]}`);
  }
  return [...documents];
}

/** @throws {ManifestProblem} where a template is there but cannot be edited in its place. */
export function podTemplates(documents: readonly Document[]): readonly PodTemplate[] {
  return documents.flatMap((document) => templatesOf(document.contents, document));
}

function templatesOf(node: Node | null, document: Document): readonly PodTemplate[] {
  if (!isMap(node)) return [];
  const kind = textOf(node, "kind") ?? "";
  const apiVersion = textOf(node, "apiVersion") ?? "";
  const items = find(node, "items");
  if (kind === "List" && items.state === "value" && isSeq(items.value))
    return items.value.items.flatMap((item) => templatesOf(item as Node | null, document));
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  const path = TEMPLATE_PATHS[group]?.[kind];
  if (path === undefined) return [];
  const metadata = find(node, "metadata");
  const named = metadata.state === "value" && isMap(metadata.value) ? metadata.value : undefined;
  const namespace = named && textOf(named, "namespace");
  const name = (named && (textOf(named, "name") ?? textOf(named, "generateName"))) ?? "without a name";
  const object = `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
  const map = namingObject(object, () => descend(node, path));
  return map === undefined ? [] : [{ document, map, object, namespace }];
}

/** @throws {ManifestProblem} */
function descend(root: YAMLMap, path: Path): YAMLMap | undefined {
  let map = root;
  for (const [index, key] of path.entries()) {
    const found = find(map, key);
    if (found.state !== "value") return undefined;
    map = asMap(found.value, path.slice(0, index + 1));
  }
  return map;
}

/** Puts the object's name before what is wrong with it. */
export function namingObject<Result>(object: string, edit: () => Result): Result {
  try {
    return edit();
  } catch (error) {
    if (error instanceof ManifestProblem) throw new ManifestProblem(`${object}: ${error.message}`);
    throw error;
  }
}

function textOf(map: YAMLMap, key: string): string | undefined {
  const found = find(map, key);
  return found.state === "value" && isScalar(found.value) && typeof found.value.value === "string"
    ? found.value.value
    : undefined;
}
