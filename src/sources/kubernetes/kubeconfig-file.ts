import { readFileSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import type { Cluster, Context, User } from "@kubernetes/client-node";
import { parse, YAMLParseError } from "yaml";

/** The one context that counts, with what it names. */
export interface ChosenContext {
  readonly config: KubeConfig;
  readonly cluster: Cluster;
  readonly user: User | undefined;
  /** client-go's `tokenFile`, absolute. client-node knows the key only as `token-file`. */
  readonly tokenFile: string | undefined;
  /** The files, for messages. */
  readonly origin: string;
}

interface RawUser {
  readonly name?: unknown;
  readonly user?: { readonly tokenFile?: unknown } | null;
}

/** @throws Error with one line: the file, what is wrong with it, what is there instead. Never a line of its content. */
export function loadKubeconfig(files: readonly string[], context: string | undefined): ChosenContext {
  const config = new KubeConfig();
  config.loadFromOptions({ clusters: [], users: [], contexts: [], currentContext: undefined });
  const tokenFiles = new Map<string, string | undefined>();
  for (const file of files) mergeFile(config, file, tokenFiles);
  const origin = files.join(" and ");
  const chosen = chooseContext(config, context, `kubeconfig ${origin}`);
  config.setCurrentContext(chosen.name);

  const cluster = config.getCluster(chosen.cluster);
  const where = `kubeconfig ${origin}: context "${chosen.name}" names`;
  if (cluster === null) throw new Error(`${where} the cluster "${chosen.cluster}", which is not there`);
  const user = chosen.user ? config.getUser(chosen.user) : undefined;
  if (user === null) throw new Error(`${where} the user "${chosen.user}", which is not there`);
  return { config, cluster, user, tokenFile: user && tokenFiles.get(user.name), origin };
}

/** Adds the entries of one file; of two with one name the first file's stays, as kubectl has it. */
function mergeFile(config: KubeConfig, file: string, tokenFiles: Map<string, string | undefined>): void {
  const document = readDocument(file);
  const directory = resolve(dirname(file));
  const part = new KubeConfig();
  // An entry that is broken is left out: only the one that is asked for has to be whole.
  part.loadFromString(JSON.stringify(document), { onInvalidEntry: "filter" });
  part.makePathsAbsolute(directory);
  for (const user of part.users) {
    if (tokenFiles.has(user.name)) continue;
    const command: unknown = user.exec?.command;
    // client-go: a command with a slash is a path relative to the kubeconfig; one without is looked up in $PATH.
    if (typeof command === "string" && command.includes("/"))
      user.exec.command = absolute(directory, command);
    tokenFiles.set(user.name, tokenFileOf(document, user.name, directory));
  }
  config.clusters = firstOfEachName(config.clusters, part.clusters);
  config.users = firstOfEachName(config.users, part.users);
  config.contexts = firstOfEachName(config.contexts, part.contexts);
  config.currentContext ||= part.currentContext;
}

function readDocument(file: string): object {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`cannot read kubeconfig ${file} (${(error as NodeJS.ErrnoException).code})`, {
      cause: error,
    });
  }
  let document: unknown;
  try {
    document = parse(text, { logLevel: "error" });
  } catch (error) {
    // The parser's message quotes the line, which may hold a token: only the code and the place go on.
    const at = error instanceof YAMLParseError ? error.linePos?.[0] : undefined;
    const code = error instanceof YAMLParseError ? error.code : "unknown problem";
    const place = at === undefined ? "" : ` at line ${at.line}, column ${at.col}`;
    throw new Error(`kubeconfig ${file} is not valid YAML (${code}${place})`, { cause: error });
  }
  const isKubeconfig = typeof document === "object" && document !== null && "clusters" in document;
  if (!isKubeconfig) throw new Error(`${file} is not a kubeconfig: it has no "clusters"`);
  return document as object;
}

function tokenFileOf(document: object, userName: string, directory: string): string | undefined {
  const users: unknown = (document as { users?: unknown }).users;
  if (!Array.isArray(users)) return undefined;
  const tokenFile = (users as RawUser[]).find((user) => user?.name === userName)?.user?.tokenFile;
  return typeof tokenFile === "string" && tokenFile !== "" ? absolute(directory, tokenFile) : undefined;
}

/** Enough names to see the right one among. */
const MAX_NAMES_IN_MESSAGE = 20;

function chooseContext(config: KubeConfig, wanted: string | undefined, where: string): Context {
  const name = wanted ?? config.currentContext;
  const context = name ? config.contexts.find((candidate) => candidate.name === name) : undefined;
  if (context !== undefined) return context;
  const names = config.contexts.map((candidate) => candidate.name);
  const listed =
    names.slice(0, MAX_NAMES_IN_MESSAGE).join(", ") + (names.length > MAX_NAMES_IN_MESSAGE ? ", ..." : "");
  const there = names.length === 0 ? "it has no contexts" : `it has: ${listed}`;
  if (!name) throw new Error(`${where} has no current-context, and --context was not given; ${there}`);
  throw new Error(`${where} has no context "${name}"; ${there}`);
}

function firstOfEachName<T extends { readonly name: string }>(kept: readonly T[], added: readonly T[]): T[] {
  const names = new Set(kept.map((entry) => entry.name));
  return [...kept, ...added.filter((entry) => !names.has(entry.name))];
}

function absolute(directory: string, path: string): string {
  return isAbsolute(path) ? path : resolve(directory, path);
}
