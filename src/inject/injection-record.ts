import { RECORD_ANNOTATION } from "./injection-plan.ts";
import { ManifestProblem } from "./manifest-problem.ts";
import type { Path } from "./yaml-nodes.ts";

/**
 * What inject added to a pod template, so that uninject takes away that and nothing else. Paths are those inside the template, with
 * dots. It is the value of an annotation, as JSON: a cluster hands it back whatever it does to the rest of the text.
 */
export interface InjectionRecord {
  /** Lists that were not there, or had other items: the items added, mappings by their `name`. */
  readonly added: Record<string, readonly string[]>;
  /** What was not there before, with all that is in it. It goes when nothing is left in it. */
  readonly created: string[];
  /** Keys that had no value: how that was written. */
  readonly empty: Record<string, string>;
  /** Texts that were there before. */
  readonly replaced: Record<string, string>;
}

export const LIST_PATHS: readonly string[] = [
  "spec.dnsConfig.nameservers",
  "spec.dnsConfig.searches",
  "spec.dnsConfig.options",
  "spec.initContainers",
  "spec.volumes",
];
export const TEXT_PATH = "spec.dnsPolicy";
const MAP_PATHS: readonly string[] = ["metadata", "metadata.annotations", "spec.dnsConfig"];

export function emptyRecord(): InjectionRecord {
  return { added: {}, created: [], empty: {}, replaced: {} };
}

/** Whether nothing was there before. */
export function isNew(path: Path, { created, empty }: InjectionRecord): boolean {
  return path.some((_, index) => {
    const name = path.slice(0, index + 1).join(".");
    return created.includes(name) || Object.hasOwn(empty, name);
  });
}

/** What is empty is left out. */
export function formatRecord(record: InjectionRecord): string {
  const parts = Object.entries(record).filter(([, part]: [string, object]) => Object.keys(part).length > 0);
  return JSON.stringify(Object.fromEntries(parts));
}

/** @throws {ManifestProblem} where somebody else wrote it: uninject removes nothing that inject would not add. */
export function parseRecord(text: unknown): InjectionRecord {
  let parsed: unknown;
  try {
    parsed = JSON.parse(String(text));
  } catch {
    parsed = undefined;
  }
  const record = { ...emptyRecord(), ...(isMapping(parsed) ? parsed : { added: undefined }) };
  if (!isRecord(record))
    throw new ManifestProblem(
      `the annotation ${RECORD_ANNOTATION} is not what holdfast inject writes; accepted is its JSON, or no such annotation`,
    );
  return record;
}

function isRecord(record: object): record is InjectionRecord {
  const { added, created, empty, replaced, ...others } = record as Record<string, unknown>;
  const anywhere = [...LIST_PATHS, ...MAP_PATHS, TEXT_PATH];
  return (
    Object.keys(others).length === 0 &&
    isMappingOf(added, LIST_PATHS, isTexts) &&
    isTexts(created) &&
    created.every((path) => anywhere.includes(path)) &&
    isMappingOf(empty, anywhere, (value) => /^(?:~|null)?$/i.test(String(value))) &&
    isMappingOf(replaced, [TEXT_PATH], (value) => /^ClusterFirst(?:WithHostNet)?$/.test(String(value)))
  );
}

function isMappingOf(value: unknown, keys: readonly string[], isValue: (value: unknown) => boolean): boolean {
  return (
    isMapping(value) && Object.entries(value).every(([key, inner]) => keys.includes(key) && isValue(inner))
  );
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
