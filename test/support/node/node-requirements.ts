import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { AssetsUnavailable } from "../../../scripts/build-assets.ts";
import { runCommand, systemEnvironment } from "./run-command.ts";

/** What a node and its images need from the distribution; the rest comes from Go modules. */
const PROGRAMS = ["unshare", "nsenter", "ip", "nft", "runc", "buildah", "busybox", "musl-gcc"];
const CNI_DIRECTORIES = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"];
const REMEDY = "run scripts/install-tools.sh, or set KUBECONFIG to a cluster";

/** @throws {AssetsUnavailable} Not root, or packages are missing. */
export async function requireNodeTools(): Promise<void> {
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    throw new AssetsUnavailable("a node needs Linux and root: run as root, or set KUBECONFIG to a cluster");
  const missing = PROGRAMS.filter((program) => findProgram(program) === undefined);
  if (cniPlugins() === undefined) missing.push("the CNI plugin ptp");
  if (missing.length > 0) throw new AssetsUnavailable(`a node needs ${missing.join(", ")}: ${REMEDY}`);
  const { stdout, stderr } = await runCommand("ldd", [busyboxPath()]);
  if (!`${stdout}${stderr}`.includes("not a dynamic executable"))
    throw new AssetsUnavailable(`busybox of a test's pods must be linked statically: ${REMEDY}`);
}

/** The directory with the CNI plugins. */
export function cniPlugins(): string | undefined {
  return CNI_DIRECTORIES.find((directory) => existsSync(join(directory, "ptp")));
}

export function busyboxPath(): string {
  const path = findProgram("busybox");
  if (path === undefined) throw new AssetsUnavailable(`busybox is not on the PATH: ${REMEDY}`);
  return path;
}

function findProgram(name: string): string | undefined {
  const directories = (systemEnvironment()["PATH"] ?? "").split(delimiter);
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
