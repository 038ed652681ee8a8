import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { nodeDirectoryPrefix } from "../support/node/left-overs.ts";
import { runToSuccess } from "../support/node/run-command.ts";

const CGROUPS = "/sys/fs/cgroup";
/** Settings of the whole machine, and of its network, that components of a node change. */
const SETTINGS = [
  "vm/overcommit_memory",
  "vm/panic_on_oom",
  "kernel/panic",
  "kernel/panic_on_oops",
  "kernel/keys/root_maxkeys",
  "kernel/keys/root_maxbytes",
  "net/ipv4/ip_forward",
  "net/ipv6/conf/all/forwarding",
  "net/netfilter/nf_conntrack_max",
];

export interface MachineState {
  readonly links: readonly string[];
  readonly addresses: readonly string[];
  readonly tables: readonly string[];
  readonly mounts: readonly string[];
  readonly settings: readonly string[];
}

/** What a node must not change here. Without the interfaces of nodes: other processes may have some. */
export async function machineState(): Promise<MachineState> {
  return {
    links: withoutNodes(await runToSuccess("ip", ["-oneline", "link"])),
    addresses: withoutNodes(await runToSuccess("ip", ["-oneline", "address"])),
    tables: withoutNodes(await runToSuccess("nft", ["list", "tables"])),
    mounts: withoutNodes(await readFile("/proc/mounts", "utf8")),
    settings: SETTINGS.map((name) => join("/proc/sys", name))
      .filter((path) => existsSync(path))
      .map((path) => `${path} = ${readFileSync(path, "utf8").trim()}`),
  };
}

function withoutNodes(text: string): string[] {
  return text.split("\n").filter((line) => !/\bholdfast\d+\b/.test(line));
}

interface Traces {
  readonly files: readonly string[];
  readonly cgroups: readonly string[];
  readonly processes: readonly string[];
}

export const NO_TRACES: Traces = { files: [], cgroups: [], processes: [] };

/**
 * What there is of the nodes of a process.
 *
 * @param namespaces Of such a node (`pid:[...]`): whoever is in one of them is counted, and holds its interfaces and mounts.
 */
export async function tracesOf(ownerPid: number, namespaces: readonly string[]): Promise<Traces> {
  const prefix = basename(nodeDirectoryPrefix(ownerPid));
  const isOurs = (name: string) => name.startsWith(prefix);
  const hierarchies = [CGROUPS, ...(await subdirectories(CGROUPS)).map((name) => join(CGROUPS, name))];
  const cgroups = await Promise.all(hierarchies.map(subdirectories));
  return {
    files: (await readdir(tmpdir())).filter(isOurs),
    cgroups: cgroups.flat().filter(isOurs),
    processes: (await readdir("/proc"))
      .filter((pid) => namespacesOfProcess(pid).some((namespace) => namespaces.includes(namespace)))
      .map((pid) => `${pid} ${commandLine(pid)}`),
  };
}

/** The namespaces of the node whose files are in a directory, which is running. */
export async function namespacesOf(directory: string): Promise<string[]> {
  const here = namespacesOfProcess("self");
  const isElsewhere = (namespace: string) => !here.includes(namespace);
  for (const pid of await readdir("/proc")) {
    const namespaces = namespacesOfProcess(pid);
    // `nsenter` has the same command line, and waits here for the kubelet there.
    if (commandLine(pid).includes(join(directory, "kubelet.yaml")) && namespaces.every(isElsewhere))
      return namespaces;
  }
  throw new Error(`No node with files in ${directory} is running`);
}

async function subdirectories(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** Empty for what is no process, or has ended. */
function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

function namespacesOfProcess(pid: string): string[] {
  try {
    return ["pid", "net", "mnt"].map((kind) => readlinkSync(`/proc/${pid}/ns/${kind}`));
  } catch {
    return [];
  }
}
