import { isIP } from "node:net";
import { quote } from "../config/given.ts";
import { OPTIONS } from "../config/options.ts";
import type { Option } from "../config/options.ts";
import { didYouMean } from "../config/suggest.ts";
import type { Mapping } from "./deep-merge.ts";
import { deepMerge, isMapping } from "./deep-merge.ts";
import type { NodeValues } from "./node-values.ts";
import { OPEN_VALUES, VALUES_ELSEWHERE } from "./node-values.ts";

/** One line that names the value, what is wrong with it and what is accepted. */
export class InvalidValues extends Error {}

type Check = (value: string) => string | undefined;

/** By name; for texts and numbers, as they would be written. */
const CHECKS: Readonly<Record<string, Check>> = {
  mode: (value) =>
    value === "linkLocal" ? undefined : "it is none for a node by itself; accepted is linkLocal",
  clusterDomain: optionCheck(OPTIONS.zones),
  "linkLocal.ipv4": (value) =>
    value === "" || isIP(value) === 4 ? undefined : "accepted is an IPv4 address, or nothing",
  "linkLocal.ipv6": (value) =>
    value === "" || isIP(value) === 6 ? undefined : "accepted is an IPv6 address, or nothing",
  "linkLocal.interface": patternCheck(
    /^[A-Za-z0-9_.][A-Za-z0-9_.-]{0,14}$/,
    "the name of an interface such as holdfast0",
  ),
  "linkLocal.setup": choiceCheck("init", "none"),
  endpoints: optionCheck(OPTIONS.endpoints),
  "answers.ttl": optionCheck(OPTIONS.ttlSeconds),
  "answers.pods": optionCheck(OPTIONS.pods),
  "snapshot.hostPath": pathCheck,
  "logging.level": optionCheck(OPTIONS.logLevel),
  "logging.format": optionCheck(OPTIONS.logFormat),
  "apiServer.host": (value) =>
    value === "" ? undefined : "the kubeconfig on the node names the API server; accepted is nothing",
  "metrics.port": (value) =>
    Number(value) >= 1 && Number(value) <= 65_535 ? undefined : "accepted is a port from 1 to 65535",
  primaryIPFamily: choiceCheck("IPv4", "IPv6"),
  "image.pullPolicy": choiceCheck("Always", "IfNotPresent", "Never"),
  "image.digest": patternCheck(/^(?:sha256:[0-9a-f]{64})?$/, "sha256: and 64 hexadecimal digits, or nothing"),
  "image.tag": patternCheck(/^[\w.-]{0,128}$/, "a tag such as 1.2.3, or nothing"),
  namespaceOverride: patternCheck(
    /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)?$/,
    "the name of a namespace, or nothing",
  ),
  terminationGracePeriodSeconds: (value) => (Number(value) >= 0 ? undefined : "accepted is 0 or more"),
  "staticPod.kubeconfig": pathCheck,
  "systemd.directory": pathCheck,
  "systemd.kubeconfig": pathCheck,
};

/** Objects of the API that a pod which the kubelet reads from a file cannot refer to. */
const EMPTY_LISTS: ReadonlySet<string> = new Set([
  "global.imagePullSecrets",
  "imagePullSecrets",
  "extraEnvFrom",
]);

/** What one file of values holds. */
export interface Layer {
  readonly path: string;
  readonly content: unknown;
}

/**
 * The chart's values with those of files over them, as Helm lays them. What counts in the end is checked, so that a later file can
 * mend an earlier one.
 * @throws {InvalidValues}
 */
export function layValues(base: NodeValues, layers: readonly Layer[]): NodeValues {
  const origins = new Map<string, string>();
  let values: Mapping = base;
  for (const { path, content } of layers) {
    if (content === null || content === undefined) continue;
    values = overlayFile(values, content, path, (name) => void origins.set(name, path));
  }
  for (const [name, path] of origins) {
    const problem = problemOf(name, valueAt(values, name));
    if (problem !== undefined) throw new InvalidValues(`${path}: ${name}: ${problem}`);
  }
  const laid = values as NodeValues;
  if (laid.linkLocal.ipv4 === "" && laid.linkLocal.ipv6 === "")
    throw new InvalidValues(
      "linkLocal.ipv4 and linkLocal.ipv6 are both empty; accepted is one address or two",
    );
  return laid;
}

function overlayFile(base: Mapping, content: unknown, path: string, note: Note): Mapping {
  try {
    if (isMapping(content)) return overlay(base, content, "", note);
    throw new InvalidValues("this is not a mapping; accepted are the chart's values");
  } catch (error) {
    if (error instanceof InvalidValues)
      throw new InvalidValues(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

type Note = (name: string) => void;

function overlay(base: Mapping, layer: Mapping, path: string, note: Note): Mapping {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(layer)) {
    const name = path === "" ? key : `${path}.${key}`;
    if (VALUES_ELSEWHERE.includes(name)) continue;
    if (Object.hasOwn(base, key)) {
      note(name);
      merged[key] = overlayOne(base[key], value, name, note);
    } else if (path !== "global") {
      // Under global may be values for other charts.
      const keys = keysBeside(base, path);
      throw new InvalidValues(`${name}: unknown${didYouMean(key, keys)}; accepted are ${keys.join(" ")}`);
    }
  }
  return merged;
}

function overlayOne(base: unknown, value: unknown, name: string, note: Note): unknown {
  const isOpen = OPEN_VALUES.includes(name);
  if (value === null && isOpen) return {};
  if (value === null && isMapping(base)) return base;
  if (typeName(value) !== typeName(base))
    throw new InvalidValues(`${name}: it is ${typeName(value)}; accepted is ${typeName(base)}`);
  if (!isMapping(value)) return value;
  return isOpen || !isMapping(base) ? deepMerge(base, value) : overlay(base, value, name, note);
}

function problemOf(name: string, value: unknown): string | undefined {
  if (Array.isArray(value))
    return value.length > 0 && EMPTY_LISTS.has(name)
      ? "what the kubelet or systemd reads from a file cannot use Secrets and ConfigMaps; accepted is an empty list"
      : undefined;
  if (isMapping(value)) return undefined;
  const problem = CHECKS[name]?.(String(value));
  return problem && `${quote(String(value))}: ${problem}`;
}

function valueAt(values: Mapping, name: string): unknown {
  return name.split(".").reduce<unknown>((inner, key) => (isMapping(inner) ? inner[key] : undefined), values);
}

/** Keys that stand beside each other in the chart's values. */
function keysBeside(base: Mapping, path: string): readonly string[] {
  const prefix = path === "" ? "" : `${path}.`;
  const elsewhere = VALUES_ELSEWHERE.filter((name) => name.startsWith(prefix)).map((name) =>
    name.slice(prefix.length),
  );
  return [...Object.keys(base), ...elsewhere.filter((name) => !name.includes("."))].sort();
}

function optionCheck(option: Option<unknown>): Check {
  return (value) => {
    const parsed = option.parse(value);
    return "problem" in parsed ? `${parsed.problem}; accepted is ${option.accepts}` : undefined;
  };
}

function choiceCheck(...choices: readonly string[]): Check {
  return (value) => (choices.includes(value) ? undefined : `accepted is one of ${choices.join(" ")}`);
}

function patternCheck(pattern: RegExp, accepts: string): Check {
  return (value) => (pattern.test(value) ? undefined : `accepted is ${accepts}`);
}

/** Blanks and the like would need another form of quoting in a unit than in a pod. */
function pathCheck(value: string): string | undefined {
  return /^(?:\/[\w.@+-]+)+$/.test(value) ? undefined : "accepted is an absolute path without blanks";
}

function typeName(value: unknown): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  return typeof value === "string" ? "a text" : typeof value === "boolean" ? "true or false" : "a number";
}
