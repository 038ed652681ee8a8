/**
 * Namespaces in which a node runs as on a machine of its own: network, mounts, processes. Its interfaces, addresses, nftables,
 * sysctls, `/run`, `/var/lib` and `/var/log` are not those of this machine, and with its first process the kernel takes all of
 * them away, whatever happens to the test. A pair of interfaces joins it to this process, and leads nowhere else.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  startProcess,
  waitUntil,
  type ManagedProcess,
  type ProcessHost,
  type ProcessOptions,
} from "../control-plane-process.ts";
import { runCommand, runToSuccess, type CommandOptions, type CommandResult } from "./run-command.ts";

const INIT = fileURLToPath(new URL("node-init.sh", import.meta.url));
const START_TIMEOUT_MS = 10_000;
/** Two nodes of two runs at the same time have different ones. */
const MAX_LINKS = 200;

export class NodeNamespaces implements ProcessHost {
  /** Of the node, on the pair that joins it to this process. */
  readonly address: string;
  readonly ipv6Address: string;
  readonly #init: ManagedProcess;
  readonly #link: string;

  private constructor(init: ManagedProcess, linkIndex: number) {
    this.#init = init;
    this.#link = linkName(linkIndex);
    const { ipv4, ipv6 } = linkAddresses(linkIndex).node;
    this.address = ipv4;
    this.ipv6Address = ipv6;
  }

  /** @param directory Of the node; `run`, `var/lib` and `var/log` in it appear on the node where their names say. */
  static async start(directory: string): Promise<NodeNamespaces> {
    const args = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--"];
    const logFile = join(directory, "namespaces.log");
    const unshare = startProcess("unshare", [...args, "sh", INIT, directory], { logFile, tiedByInput: true });
    try {
      const isReady = async () => (unshare.output().includes("namespaces are ready") ? true : undefined);
      const waiting = { timeoutMs: START_TIMEOUT_MS, intervalMs: 10, process: unshare };
      await waitUntil("namespaces of the node", isReady, waiting);
      const init = await forkedBy(unshare);
      const linkIndex = await addLink(init.pid);
      const namespaces = new NodeNamespaces(init, linkIndex);
      await namespaces.#configureNetwork(linkIndex);
      return namespaces;
    } catch (error) {
      await unshare.kill("SIGKILL");
      throw error;
    }
  }

  /** Starts a program on the node. Signals go to the program itself, and its process id is the one that this machine sees. */
  async start(file: string, args: readonly string[], options: ProcessOptions): Promise<ManagedProcess> {
    return forkedBy(startProcess("nsenter", this.#entering(file, args), options));
  }

  /** Runs a program on the node to its end. */
  async run(file: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return runCommand("nsenter", this.#entering(file, args), options);
  }

  async runToSuccess(file: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
    return runToSuccess("nsenter", this.#entering(file, args), options);
  }

  /** Ends every process of the node, and waits until its interfaces are gone. Idempotent. */
  async close(): Promise<void> {
    // The kernel lets `unshare` see the end of the first process when all the others have ended.
    await this.#init.kill("SIGKILL");
    // The kernel takes a network namespace away some time after its last process.
    const isGone = async () => {
      const { exitCode } = await runCommand("ip", ["link", "show", "dev", this.#link]);
      return exitCode === 0 ? undefined : true;
    };
    await waitUntil(`interface ${this.#link} gone`, isGone, { timeoutMs: START_TIMEOUT_MS });
  }

  #entering(file: string, args: readonly string[]): string[] {
    return [`--target=${this.#init.pid}`, "--mount", "--net", "--pid", "--", file, ...args];
  }

  async #configureNetwork(linkIndex: number): Promise<void> {
    const { machine, node } = linkAddresses(linkIndex);
    const machineCommands = interfaceCommands(this.#link, machine);
    await runToSuccess("ip", ["-batch", "-"], { stdin: machineCommands });
    // Without a route the kernel refuses a Service's address before kube-proxy's rules can turn it into another.
    const routes = `route add default via ${machine.ipv4}\nroute add default via ${machine.ipv6}\n`;
    const nodeCommands = `link set lo up\n${interfaceCommands("eth0", node)}${routes}`;
    await this.runToSuccess("ip", ["-batch", "-"], { stdin: nodeCommands });
  }
}

interface LinkAddresses {
  readonly ipv4: string;
  readonly ipv6: string;
}

/** At most 15 characters. */
function linkName(index: number): string {
  return `holdfast${index}`;
}

/** 198.18.0.0/15 is for tests of networks (RFC 2544), so no network that a laptop is in has it. */
function linkAddresses(index: number): { readonly machine: LinkAddresses; readonly node: LinkAddresses } {
  const at = (last: number) => ({ ipv4: `198.18.${index}.${last}`, ipv6: `fd00:198:18:${index}::${last}` });
  return { machine: at(1), node: at(2) };
}

function interfaceCommands(name: string, { ipv4, ipv6 }: LinkAddresses): string {
  return `addr add ${ipv4}/30 dev ${name}\naddr add ${ipv6}/64 dev ${name} nodad\nlink set ${name} up\n`;
}

async function addLink(initPid: number): Promise<number> {
  for (let index = 0; index < MAX_LINKS; index++) {
    const pair = ["type", "veth", "peer", "name", "eth0", "netns", String(initPid)];
    const { exitCode, stderr } = await runCommand("ip", ["link", "add", linkName(index), ...pair]);
    if (exitCode === 0) return index;
    if (!stderr.includes("File exists")) throw new Error(`Cannot join the node to this machine: ${stderr}`);
  }
  throw new Error(
    `Cannot join the node to this machine: all of ${linkName(0)} to ${MAX_LINKS - 1} are taken`,
  );
}

/** The program that `unshare` or `nsenter` has forked, in whose place they wait: they end as it ends. */
async function forkedBy(waiting: ManagedProcess): Promise<ManagedProcess> {
  const findPid = async () => childOf(waiting.pid);
  const pid = await waitUntil("a program on the node", findPid, {
    timeoutMs: START_TIMEOUT_MS,
    intervalMs: 5,
    process: waiting,
  });
  const signal = (name: NodeJS.Signals) => {
    // They stop with their child, and continue it when they are continued.
    if (name === "SIGCONT") waiting.signal(name);
    else if (childOf(waiting.pid) === pid) process.kill(pid, name);
  };
  const kill = async (name: NodeJS.Signals) => {
    signal(name);
    await waiting.exited;
  };
  return { ...waiting, pid, signal, kill };
}

/** Undefined before there is one, and when it has ended. */
function childOf(pid: number): number | undefined {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return children === "" ? undefined : Number.parseInt(children, 10);
  } catch {
    return undefined;
  }
}
