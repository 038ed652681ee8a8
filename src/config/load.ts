import type { AgentConfig } from "./agent-config.ts";
import { readConfigFile } from "./config-file.ts";
import type { Environment, Given, GivenOptions } from "./given.ts";
import { InvalidConfig, quote, readEnvironment, readFlags, readVariable } from "./given.ts";
import type { Option } from "./options.ts";
import { CONFIG_OPTION, OPTIONS } from "./options.ts";
import { isReverseZone } from "./zone-name.ts";

/** Everything outside the process that the settings depend on. */
export interface ConfigInput {
  /** The words behind `holdfast agent`. */
  readonly args: readonly string[];
  readonly env: Environment;
  /** Whether standard error is a terminal. */
  readonly isTerminal: boolean;
  readonly readText: (path: string) => Promise<string>;
}

export type ConfigOutcome =
  | { readonly outcome: "config"; readonly config: AgentConfig }
  | { readonly outcome: "help" }
  /** `message` is one line: the option, the value, where it came from, what is accepted. */
  | { readonly outcome: "invalid"; readonly message: string };

/** Flags beat the environment, which beats the file, which beats the defaults; an option is taken whole from one place. */
export async function loadConfig(input: ConfigInput): Promise<ConfigOutcome> {
  try {
    const flags = readFlags(input.args);
    if (flags.wantsHelp) return { outcome: "help" };
    const configFile = flags.configFile ?? readVariable(CONFIG_OPTION, input.env);
    if (configFile !== undefined) readOne(CONFIG_OPTION, configFile);
    const file = configFile && (await readConfigFile(configFile, input.readText));
    const given: GivenOptions = new Map([...(file ?? []), ...readEnvironment(input.env), ...flags.options]);
    return { outcome: "config", config: resolve(given, input.isTerminal) };
  } catch (error) {
    if (error instanceof InvalidConfig) return { outcome: "invalid", message: error.message };
    throw error;
  }
}

function resolve(given: GivenOptions, isTerminal: boolean): AgentConfig {
  const source = resolveSource(given);
  // A kubeconfig that the file names does not stand in the way of `--manifests` in an emergency, nor the other way round.
  const isManifests = source === "manifests";
  return Object.freeze({
    source,
    kubeconfig: isManifests ? undefined : optional(OPTIONS.kubeconfig, given.get("kubeconfig")),
    context: isManifests ? undefined : optional(OPTIONS.context, given.get("context")),
    manifests: isManifests ? optional(OPTIONS.manifests, given.get("manifests")) : undefined,
    listen: many(OPTIONS.listen, given.get("listen")),
    admin: many(OPTIONS.admin, given.get("admin")),
    heartbeatDir: optional(OPTIONS.heartbeatDir, given.get("heartbeatDir")),
    dataDir: one(OPTIONS.dataDir, given.get("dataDir")),
    zones: resolveZones(given.get("zones")),
    endpoints: one(OPTIONS.endpoints, given.get("endpoints")),
    ttlSeconds: one(OPTIONS.ttlSeconds, given.get("ttlSeconds")),
    pods: one(OPTIONS.pods, given.get("pods")),
    logLevel: one(OPTIONS.logLevel, given.get("logLevel")),
    logFormat: optional(OPTIONS.logFormat, given.get("logFormat")) ?? (isTerminal ? "pretty" : "json"),
  });
}

/** `manifests` names a source as well as a directory: the stronger of the two decides, and equally strong ones must agree. */
function resolveSource(given: GivenOptions): AgentConfig["source"] {
  const sourceGiven = given.get("source");
  const manifestsGiven = given.get("manifests");
  const source = optional(OPTIONS.source, sourceGiven);
  if (manifestsGiven === undefined) {
    if (source === "manifests")
      throw new InvalidConfig(
        `source: "manifests" from ${sourceGiven?.origin} needs a directory; accepted with it is --manifests DIR`,
      );
    return source ?? "kubernetes";
  }
  const manifestsRank = manifestsGiven.rank;
  const sourceRank = sourceGiven?.rank ?? 0;
  if (source === "kubernetes" && sourceRank === manifestsRank)
    throw new InvalidConfig(
      `manifests: ${quote(manifestsGiven.texts[0])} from ${manifestsGiven.origin} contradicts source "kubernetes" from ${sourceGiven?.origin}; accepted is one of them`,
    );
  return source === "kubernetes" && sourceRank > manifestsRank ? "kubernetes" : "manifests";
}

function resolveZones(given: Given | undefined): readonly string[] {
  const zones = many(OPTIONS.zones, given);
  if (isReverseZone(zones[0]))
    throw new InvalidConfig(
      `zone: ${quote(zones[0])} from ${given?.origin} is a reverse zone and the first; accepted as the first is the cluster's own, such as cluster.local`,
    );
  return zones;
}

function optional<Value>(option: Option<Value>, given: Given | undefined): Value | undefined {
  return given === undefined ? undefined : readOne(option, given);
}

function one<Value>(option: Option<Value>, given: Given | undefined): Value {
  return readOne(option, given ?? defaultOf(option));
}

function many<Value>(option: Option<Value>, given: Given | undefined): readonly Value[] {
  const values = readAll(option, given ?? defaultOf(option));
  const seen = new Set<string>();
  for (const value of values) {
    const text = JSON.stringify(value);
    // Port 0 asks for any free port: twice is two ports.
    if (seen.has(text) && !text.includes('"port":0'))
      throw new InvalidConfig(
        `${option.name}: ${quote(printable(value, given))} from ${given?.origin} is given twice`,
      );
    seen.add(text);
  }
  return Object.freeze(values);
}

function readOne<Value>(option: Option<Value>, given: Given): Value {
  return readAll(option, given)[0];
}

function readAll<Value>(option: Option<Value>, given: Given): Value[] {
  return given.texts.map((text) => {
    const parsed = option.parse(text);
    if ("value" in parsed) return deepFreeze(parsed.value);
    throw new InvalidConfig(
      `${option.name}: ${quote(text)} from ${given.origin}: ${parsed.problem}; accepted is ${option.accepts}`,
    );
  });
}

function defaultOf(option: Option<unknown>): Given {
  return { texts: option.defaults, rank: 0, origin: "the default" };
}

function printable(value: unknown, given: Given | undefined): string {
  return typeof value === "string" ? value : (given?.texts.at(-1) ?? "");
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
