/**
 * Provides the programs of a real control plane and of a node, CoreDNS to compare with, and Helm: taken from where the machine
 * has them, or built from Go modules into a cache.
 *
 * Order: `$KUBEBUILDER_ASSETS` (the convention of controller tests), `$PATH`, the cache, a build. Building needs `go` and a Go
 * module proxy; nothing is downloaded as a binary. On 2 cores it takes about 15 minutes from nothing for the control plane and
 * CoreDNS, 5 more for the rest, and seconds afterwards.
 *
 * As a command: `node scripts/build-assets.ts [NAME...]` prints the paths.
 */
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const KUBERNETES_VERSION = "1.37.2";
const ETCD_VERSION = "3.7.3";
const COREDNS_VERSION = "1.15.0";
const CONTAINERD_VERSION = "2.4.2";
const HELM_VERSION = "4.3.1";
const LOCK_POLL_MS = 500;

export const ASSETS = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
  "kubectl",
  "coredns",
  "containerd",
  "containerd-shim-runc-v2",
  "ctr",
  "helm",
] as const;
export type Asset = (typeof ASSETS)[number];

/** What is missing on this machine. The message is for people: tests print it as the reason why they were left out. */
export class AssetsUnavailable extends Error {}

interface Recipe {
  /** The Go main package. */
  readonly package: string;
  readonly version: string;
  /** Programs of one module share a scratch module, so that its dependencies are resolved once. */
  readonly module: "etcd" | "kubernetes" | "coredns" | "containerd" | "helm";
}

const RECIPES: Readonly<Record<Asset, Recipe>> = {
  etcd: { package: "go.etcd.io/etcd/server/v3", version: ETCD_VERSION, module: "etcd" },
  "kube-apiserver": kubernetesRecipe("kube-apiserver"),
  "kube-controller-manager": kubernetesRecipe("kube-controller-manager"),
  "kube-scheduler": kubernetesRecipe("kube-scheduler"),
  kubelet: kubernetesRecipe("kubelet"),
  "kube-proxy": kubernetesRecipe("kube-proxy"),
  kubectl: kubernetesRecipe("kubectl"),
  coredns: { package: "github.com/coredns/coredns", version: COREDNS_VERSION, module: "coredns" },
  containerd: containerdRecipe("containerd"),
  "containerd-shim-runc-v2": containerdRecipe("containerd-shim-runc-v2"),
  ctr: containerdRecipe("ctr"),
  helm: { package: "helm.sh/helm/v4/cmd/helm", version: HELM_VERSION, module: "helm" },
};

function kubernetesRecipe(program: string): Recipe {
  return { package: `k8s.io/kubernetes/cmd/${program}`, version: KUBERNETES_VERSION, module: "kubernetes" };
}

function containerdRecipe(program: string): Recipe {
  const module = "containerd";
  return {
    package: `github.com/containerd/containerd/v2/cmd/${program}`,
    version: CONTAINERD_VERSION,
    module,
  };
}

/**
 * Paths of the programs asked for.
 *
 * @param report Called with one line per step that takes time.
 * @throws {AssetsUnavailable} Something has to be built and there is no `go`.
 */
export async function provideAssets<Name extends Asset>(
  names: readonly Name[],
  report: (line: string) => void,
): Promise<Readonly<Record<Name, string>>> {
  const paths: Partial<Record<Name, string>> = {};
  for (const name of names) paths[name] = installedAsset(name) ?? (await cachedAsset(name, report));
  return paths as Record<Name, string>;
}

/** Where `provideAssets` keeps what it built: one directory for each set of versions. */
export function assetCacheDirectory(): string {
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  const versions = [
    `k8s${KUBERNETES_VERSION}`,
    `etcd${ETCD_VERSION}`,
    `coredns${COREDNS_VERSION}`,
    `containerd${CONTAINERD_VERSION}`,
    `helm${HELM_VERSION}`,
  ];
  return join(cache, "holdfast", ["assets", ...versions].join("-"));
}

function installedAsset(name: Asset): string | undefined {
  const directories = [
    process.env["KUBEBUILDER_ASSETS"] ?? "",
    ...(process.env["PATH"] ?? "").split(delimiter),
  ];
  return directories
    .filter((directory) => directory !== "")
    .map((directory) => join(directory, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function cachedAsset(name: Asset, report: (line: string) => void): Promise<string> {
  const directory = assetCacheDirectory();
  const path = join(directory, name);
  if (isExecutable(path)) return path;
  await mkdir(directory, { recursive: true });
  const unlock = await lockDirectory(directory, report);
  try {
    if (!isExecutable(path)) await build(name, directory, report);
  } finally {
    await unlock();
  }
  return path;
}

async function build(name: Asset, directory: string, report: (line: string) => void): Promise<void> {
  const recipe = RECIPES[name];
  const scratch = join(directory, "src", recipe.module);
  const started = performance.now();
  await requireGo(name);
  report(`building ${name} ${recipe.version} from Go modules (minutes the first time)`);
  await mkdir(scratch, { recursive: true });
  if (!(await exists(join(scratch, "go.mod")))) await writeScratchModule(recipe, scratch);
  await go(["get", "-tool", `${recipe.package}@v${recipe.version}`], scratch);
  // Renamed only when whole: an interrupted build must not leave half a program under the final name.
  const partial = join(directory, `${name}.partial-${process.pid}`);
  try {
    const flags = ["-trimpath", "-ldflags", linkerFlags(recipe), "-o", partial];
    await go(["build", ...flags, recipe.package], scratch);
    await rename(partial, join(directory, name));
  } finally {
    await rm(partial, { force: true });
  }
  report(`built ${name} in ${((performance.now() - started) / 1000).toFixed(0)} s`);
}

async function requireGo(name: Asset): Promise<void> {
  try {
    await go(["version"], ".");
  } catch (error) {
    const places = "$KUBEBUILDER_ASSETS, $PATH or the cache";
    throw new AssetsUnavailable(
      `${name} is not in ${places}, and "go" is needed to build it: install Go, or set KUBEBUILDER_ASSETS`,
      { cause: error },
    );
  }
}

async function writeScratchModule(recipe: Recipe, scratch: string): Promise<void> {
  const replaces = recipe.module === "kubernetes" ? await stagingReplaces(scratch) : "";
  await writeFile(
    join(scratch, "go.mod"),
    `module holdfast.test/${recipe.module}\n\ngo 1.26.0\n\n${replaces}`,
  );
}

/**
 * Kubernetes requires its staging modules (k8s.io/api, ...) at v0.0.0 and replaces them by directories of its own
 * repository; outside of it, they must be replaced by the versions published for the release.
 */
async function stagingReplaces(scratch: string): Promise<string> {
  const output = await go(["mod", "download", "-json", `k8s.io/kubernetes@v${KUBERNETES_VERSION}`], scratch);
  const { GoMod } = JSON.parse(output) as { GoMod: string };
  const staged = (await readFile(GoMod, "utf8")).matchAll(/(k8s\.io\/[a-z-]+) => \.\/staging/g);
  const published = `v0.${KUBERNETES_VERSION.slice("1.".length)}`;
  const modules = new Set(Array.from(staged, (match) => match[1]));
  return [...modules].map((module) => `replace ${module} => ${module} ${published}\n`).join("");
}

function linkerFlags(recipe: Recipe): string {
  if (recipe.module !== "kubernetes") return "-s -w";
  const [major, minor] = KUBERNETES_VERSION.split(".");
  // Without them the API server calls itself v0.0.0 and turns features off as if it were that old.
  const stamps = { gitVersion: `v${KUBERNETES_VERSION}`, gitMajor: major, gitMinor: minor };
  const flags = Object.entries(stamps).map(
    ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
  );
  return `-s -w ${flags.join(" ")}`;
}

async function go(args: readonly string[], directory: string): Promise<string> {
  const child = spawn("go", args, {
    cwd: directory,
    env: { ...process.env, CGO_ENABLED: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let problems = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (problems += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  if (code !== 0) throw new Error(`go ${args.join(" ")} failed with ${code}:\n${problems.slice(-4000)}`);
  return output;
}

/** A lock that survives nobody: it names the process that holds it, and a dead holder's lock is taken over. */
async function lockDirectory(
  directory: string,
  report: (line: string) => void,
): Promise<() => Promise<void>> {
  const lock = join(directory, "lock");
  for (let attempt = 0; ; attempt++) {
    try {
      await writeFile(lock, String(process.pid), { flag: "wx" });
      return () => rm(lock, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = Number(await readFile(lock, "utf8").catch(() => ""));
    if (holder > 0 && !isAlive(holder)) await rm(lock, { force: true });
    if (attempt === 0) report(`waiting for process ${holder}, which builds into ${directory}`);
    await delay(LOCK_POLL_MS);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function exists(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false,
  );
}

if (import.meta.main) {
  const unknown = process.argv.slice(2).find((name) => !ASSETS.some((known) => known === name));
  if (unknown !== undefined) {
    console.error(`build-assets: do not know "${unknown}"; known are ${ASSETS.join(", ")}`);
    process.exit(2);
  }
  const names = ASSETS.filter((name) => process.argv.length === 2 || process.argv.includes(name));
  const paths = await provideAssets(names, (line) => console.error(line));
  for (const path of Object.values(paths)) console.log(path);
}
