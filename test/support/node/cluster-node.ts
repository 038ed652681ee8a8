/**
 * A Kubernetes node with its control plane, for tests: etcd, kube-apiserver, kube-controller-manager, kube-scheduler,
 * containerd, kubelet, kube-proxy (nftables), and CoreDNS in a pod behind 10.96.0.10. Dual stack.
 *
 * It runs in namespaces of its own: the machine keeps its interfaces, mounts and sysctls, nodes of several tests can run side by
 * side, and none outlives a test that is killed. The addresses of pods, of Services and of the node's loopback are reached on the
 * node (`runOnNode`) and from its pods, not from this process; the API server is reached from everywhere.
 */
import { mkdtemp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { provideAssets } from "../../../scripts/build-assets.ts";
import { waitUntil, type ManagedProcess } from "../control-plane-process.ts";
import { ControlPlane } from "../control-plane.ts";
import { provideBaseImages } from "./base-images.ts";
import { Cluster, type PodObject } from "./cluster.ts";
import { buildImageArchive } from "./image-archive.ts";
import { removeLeftOvers } from "./left-overs.ts";
import { isNodeComponent, NODE_ASSETS, type ClusterComponent } from "./node-components.ts";
import type { ContainerName, LogLine } from "./node-containers.ts";
import { NodeMachine } from "./node-machine.ts";
import { requireNodeTools } from "./node-requirements.ts";
import type { CommandOptions, CommandResult } from "./run-command.ts";

const COREDNS_MANIFEST = fileURLToPath(new URL("coredns.yaml", import.meta.url));
const START_TIMEOUT_MS = 60_000;

export interface ClusterNodeOptions {
  /** OCI archives, imported before the node is ready; `imagePullPolicy` of their pods is `IfNotPresent` or `Never`. */
  readonly images?: readonly string[];
  readonly apiServerFlags?: readonly string[];
  /** Called with one line per step that takes time; default: printed. */
  readonly report?: (line: string) => void;
}

export class ClusterNode extends Cluster {
  readonly plane: ControlPlane;
  readonly #machine: NodeMachine;

  private constructor(
    plane: ControlPlane,
    machine: NodeMachine,
    programs: { readonly kubectl: string; readonly helm: string },
  ) {
    super(plane.kubeconfig("admin"), programs);
    this.plane = plane;
    this.#machine = machine;
  }

  /**
   * Returns when CoreDNS is ready.
   *
   * @throws {AssetsUnavailable} Not root, packages are missing, or programs can neither be found nor built.
   */
  static async start(options: ClusterNodeOptions = {}): Promise<ClusterNode> {
    const report = options.report ?? ((line: string) => console.log(`# ${line}`));
    await requireNodeTools();
    const programs = await provideAssets(NODE_ASSETS, report);
    const images = [...(await provideBaseImages(programs.coredns, report)), ...(options.images ?? [])];
    await removeLeftOvers(report);
    const machine = await NodeMachine.create(programs);
    const planeOptions = {
      withControllerManager: true,
      hasNode: true,
      host: machine.namespaces,
      parentDirectory: machine.directory,
      apiServerFlags: options.apiServerFlags ?? [],
      report,
    };
    const [plane, runtime] = await Promise.allSettled([
      ControlPlane.start(planeOptions),
      startRuntime(machine, images),
    ]);
    try {
      if (plane.status === "rejected") throw plane.reason;
      if (runtime.status === "rejected") throw runtime.reason;
      const node = new ClusterNode(plane.value, machine, programs);
      await node.#startPods();
      return node;
    } catch (error) {
      await machine.close();
      if (plane.status === "fulfilled") await plane.value.close();
      throw error;
    }
  }

  override get hasOwnNode(): boolean {
    return true;
  }

  /** The address at which this process reaches the node. */
  get address(): string {
    return this.#machine.namespaces.address;
  }

  /** Where the node's files are; its `/run`, `/var/lib` and `/var/log` are the directories `run`, `var/lib` and `var/log`. */
  get directory(): string {
    return this.#machine.directory;
  }

  /**
   * Starts a component that is not running, on the data it had before, and waits until it says that it works. The API server may
   * be down: a kubelet does not wait for its pods, so that `exec` may not find them yet.
   */
  async startComponent(component: ClusterComponent): Promise<void> {
    if (!isNodeComponent(component)) return this.plane.startComponent(component);
    return this.#machine.startComponent(component, (user) => this.plane.kubeconfig(user));
  }

  /** Sends the signal and waits until the component is gone. Pods go on without kubelet, containerd and all the others. */
  async kill(component: ClusterComponent, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    if (!isNodeComponent(component)) return this.plane.kill(component, signal);
    return this.#machine.kill(component, signal);
  }

  /** Sends a signal that does not end it: SIGSTOP makes a component hang, SIGCONT goes on. */
  signal(component: ClusterComponent, signal: NodeJS.Signals): void {
    if (isNodeComponent(component)) this.#machine.signal(component, signal);
    else this.plane.signal(component, signal);
  }

  /** Runs a program on the node, in its network: `127.0.0.1`, Services and pods are those of the node. */
  async runOnNode(file: string, args: readonly string[], options?: CommandOptions): Promise<CommandResult> {
    return this.#machine.namespaces.run(file, args, options);
  }

  /** Starts a program there whose output goes to a file. */
  async startOnNode(file: string, args: readonly string[], logFile: string): Promise<ManagedProcess> {
    return this.#machine.namespaces.start(file, args, { logFile });
  }

  /** Makes the images of an OCI archive known to the node, under the names that it gives them. */
  async importArchive(archive: string): Promise<void> {
    await this.#machine.containers.importArchive(archive);
  }

  /**
   * Builds an image for the node; its base is `scratch`.
   *
   * @param context A directory with a `Containerfile`.
   * @returns The name for manifests: `localhost/NAME:TAG`.
   */
  async importImage(name: string, context: string, tag = "1"): Promise<string> {
    const reference = `localhost/${name}:${tag}`;
    const directory = await mkdtemp(join(this.directory, "image-"));
    const archive = join(directory, "image.tar");
    await buildImageArchive({ reference, context, archive });
    await this.importArchive(archive);
    return reference;
  }

  /** Gives an image a second name: an upgrade that changes nothing but the tag. */
  async tagImage(reference: string, newReference: string): Promise<void> {
    await this.#machine.containers.tagImage(reference, newReference);
  }

  /** Waits until that many CoreDNS pods are ready, and no other is left. */
  async scaleCoreDns(replicas: number): Promise<void> {
    const target = ["deployment/coredns", "--namespace=kube-system"];
    const { stderr, exitCode } = await this.kubectl(["scale", ...target, `--replicas=${replicas}`]);
    if (exitCode !== 0) throw new Error(`Cannot scale CoreDNS to ${replicas}: ${stderr}`);
    const isScaled = async () => {
      const selector = ["--namespace=kube-system", "--selector=k8s-app=kube-dns"];
      const { stdout } = await this.kubectl(["get", "pods", ...selector, "--output=json"]);
      const { items } = JSON.parse(stdout) as { items: readonly PodObject[] };
      return items.length === replicas && items.every(isReady) ? true : undefined;
    };
    const options = { timeoutMs: START_TIMEOUT_MS, intervalMs: 200 };
    await waitUntil(`${replicas} CoreDNS pods`, isScaled, options);
  }

  /** Of the container that runs now. This and the following work without API server and kubelet. */
  async containerId(name: ContainerName): Promise<string> {
    return this.#machine.containers.idOf(name);
  }

  /** Signals the main process of a container; after SIGKILL, a kubelet starts another container. */
  async killContainer(name: ContainerName, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    await this.#machine.containers.signal(name, signal);
  }

  async execDirect(
    name: ContainerName,
    command: readonly string[],
    options?: CommandOptions,
  ): Promise<CommandResult> {
    return this.#machine.containers.exec(name, command, options);
  }

  /** Starts a command in a container, such as a client that goes on through an outage; `output()` is what it wrote so far. */
  async startDirect(name: ContainerName, command: readonly string[]): Promise<ManagedProcess> {
    return this.#machine.containers.start(name, command);
  }

  /** What a container has written so far, earlier restarts included. */
  async containerLog(name: ContainerName): Promise<LogLine[]> {
    return this.#machine.containers.log(name);
  }

  /** Ends everything that runs on the node, and removes its files. Idempotent. */
  async close(): Promise<void> {
    await this.#machine.close();
    await this.plane.close();
  }

  async #startPods(): Promise<void> {
    await Promise.all([
      this.startComponent("kubelet"),
      this.startComponent("kube-scheduler"),
      this.startComponent("kube-proxy"),
      readFile(COREDNS_MANIFEST, "utf8").then((manifest) => this.apply(manifest)),
    ]);
    await this.scaleCoreDns(1);
  }
}

async function startRuntime(machine: NodeMachine, images: readonly string[]): Promise<void> {
  await machine.startComponent("containerd", noKubeconfig);
  for (const image of images) await machine.containers.importArchive(image);
}

function noKubeconfig(user: string): string {
  throw new Error(`containerd needs no kubeconfig of ${user}`);
}

function isReady({ metadata, status }: PodObject): boolean {
  const ready = status.conditions?.find(({ type }) => type === "Ready");
  return metadata.deletionTimestamp === undefined && ready?.status === "True";
}
