import { mkdir, mkdtemp, statfs, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { waitUntil, type ManagedProcess } from "../control-plane-process.ts";
import type { ClusterUser } from "../control-plane.ts";
import { createCgroup } from "./cgroups.ts";
import { nodeDirectoryPrefix, removeNodeFiles } from "./left-overs.ts";
import { NodeNamespaces } from "./namespaces.ts";
import {
  invocationOf,
  nodeEnvironment,
  type NodeAsset,
  type NodeComponent,
  type NodeLayout,
} from "./node-components.ts";
import { NodeContainers } from "./node-containers.ts";
import { cniConflist, containerdToml, kubeletYaml } from "./node-files.ts";
import { cniPlugins } from "./node-requirements.ts";

const START_TIMEOUT_MS = 60_000;
/** `statfs` type of an overlay (linux/magic.h). */
const OVERLAYFS_MAGIC = 0x794c7630;

/** What a node is without its control plane: namespaces, files, and the programs that run pods. */
export class NodeMachine {
  readonly directory: string;
  readonly namespaces: NodeNamespaces;
  readonly containers: NodeContainers;
  readonly #programs: Readonly<Record<NodeAsset, string>>;
  readonly #processes = new Map<NodeComponent, ManagedProcess>();

  private constructor(
    directory: string,
    namespaces: NodeNamespaces,
    programs: Readonly<Record<NodeAsset, string>>,
  ) {
    this.directory = directory;
    this.namespaces = namespaces;
    this.containers = new NodeContainers(namespaces, directory, programs.ctr);
    this.#programs = programs;
  }

  /** Nothing runs on it yet. */
  static async create(programs: Readonly<Record<NodeAsset, string>>): Promise<NodeMachine> {
    const directory = await mkdtemp(nodeDirectoryPrefix(process.pid));
    let namespaces: NodeNamespaces | undefined;
    try {
      await createCgroup(basename(directory));
      await writeNodeFiles(directory);
      namespaces = await NodeNamespaces.start(directory);
      return new NodeMachine(directory, namespaces, programs);
    } catch (error) {
      await namespaces?.close();
      await removeNodeFiles(directory);
      throw error;
    }
  }

  /** Starts a component that is not running, on the data it had before, and waits until it works. */
  async startComponent(component: NodeComponent, kubeconfig: (user: ClusterUser) => string): Promise<void> {
    if (this.#processes.has(component)) throw new Error(`Cannot start ${component}: it runs already`);
    const { directory, namespaces } = this;
    const addresses = [namespaces.address, namespaces.ipv6Address];
    const layout: NodeLayout = { directory, addresses, kubeconfig, programs: this.#programs };
    const { args, healthUrl } = invocationOf(component, layout);
    const process = await namespaces.start(this.#programs[component], args, {
      logFile: join(directory, `${component}.log`),
      env: nodeEnvironment(layout),
    });
    this.#processes.set(component, process);
    const isReady = async () => ((await this.#isReady(component, healthUrl)) ? true : undefined);
    await waitUntil(`${component} ready`, isReady, { timeoutMs: START_TIMEOUT_MS, process });
  }

  /** Sends the signal and waits until the component is gone. */
  async kill(component: NodeComponent, signal: NodeJS.Signals): Promise<void> {
    const process = this.#process(component);
    this.#processes.delete(component);
    await process.kill(signal);
  }

  signal(component: NodeComponent, signal: NodeJS.Signals): void {
    this.#process(component).signal(signal);
  }

  /** Ends everything on it, and removes its files. Idempotent. */
  async close(): Promise<void> {
    await this.namespaces.close();
    for (const process of this.#processes.values()) await process.exited;
    this.#processes.clear();
    await removeNodeFiles(this.directory);
  }

  #process(component: NodeComponent): ManagedProcess {
    const process = this.#processes.get(component);
    if (process === undefined) throw new Error(`${component} is not running`);
    return process;
  }

  async #isReady(component: NodeComponent, healthUrl: string | undefined): Promise<boolean> {
    if (component === "containerd") return this.containers.isServing();
    return healthUrl === undefined || (await fetch(healthUrl)).ok;
  }
}

async function writeNodeFiles(directory: string): Promise<void> {
  const write = (name: string, text: string) => writeFile(join(directory, name), text);
  const { type } = await statfs(directory);
  const resolvConf = join(directory, "resolv.conf");
  const cniDirectory = join(directory, "cni");
  await mkdir(cniDirectory);
  const settings = {
    cniDirectory,
    cniPlugins: cniPlugins() ?? "",
    cgroup: basename(directory),
    snapshotter: type === OVERLAYFS_MAGIC ? "native" : "overlayfs",
    resolvConf,
  } as const;
  await write("containerd.toml", containerdToml(settings));
  await write("kubelet.yaml", kubeletYaml(settings));
  await write("cni/10-pods.conflist", cniConflist());
  // For pods with the node's DNS. Nothing listens there: a node without a network outside must not wait for one.
  await write("resolv.conf", "nameserver 127.0.0.1\n");
}
