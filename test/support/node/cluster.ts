import { provideAssets } from "../../../scripts/build-assets.ts";
import { waitUntil } from "../control-plane-process.ts";
import type { ContainerName } from "./node-containers.ts";
import { runCommand, systemEnvironment, type CommandOptions, type CommandResult } from "./run-command.ts";

const POD_TIMEOUT_MS = 60_000;

/** A cluster as its users reach it: one that somebody brought, or the base of `ClusterNode`. */
export class Cluster {
  /** Of an administrator. */
  readonly kubeconfig: string;
  readonly #kubectl: string;
  readonly #helm: string;

  protected constructor(kubeconfig: string, programs: { readonly kubectl: string; readonly helm: string }) {
    this.kubeconfig = kubeconfig;
    this.#kubectl = programs.kubectl;
    this.#helm = programs.helm;
  }

  /** @throws {AssetsUnavailable} Neither installed nor to be built here. */
  static async given(kubeconfig: string): Promise<Cluster> {
    const programs = await provideAssets(["kubectl", "helm"], (line) => console.log(`# ${line}`));
    return new Cluster(kubeconfig, programs);
  }

  /** Whether tests may kill its components, and use it as they like: whether it is a `ClusterNode`. */
  get hasOwnNode(): boolean {
    return false;
  }

  async kubectl(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return runCommand(this.#kubectl, args, { ...options, env: this.#environment() });
  }

  async helm(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return runCommand(this.#helm, args, { ...options, env: this.#environment() });
  }

  /** @param manifest YAML or JSON documents. @throws The API server refuses one. */
  async apply(manifest: string): Promise<void> {
    await this.#succeed(["apply", "--filename=-"], { stdin: manifest });
  }

  /** An object as the API server has it. @throws There is none. */
  async get<T>(resource: string, name: string, namespace = "default"): Promise<T> {
    const args = ["get", resource, name, `--namespace=${namespace}`, "--output=json"];
    return JSON.parse(await this.#succeed(args)) as T;
  }

  async waitForPod(namespace: string, pod: string, timeoutMs: number = POD_TIMEOUT_MS): Promise<void> {
    const args = ["wait", `pod/${pod}`, `--namespace=${namespace}`, "--for=condition=Ready"];
    await this.#succeed([...args, `--timeout=${timeoutMs}ms`], { timeoutMs: timeoutMs + 10_000 });
  }

  /** Runs a command in a container by way of the API server and the kubelet. */
  async exec(
    { namespace, pod, container }: ContainerName,
    command: readonly string[],
    options: CommandOptions = {},
  ): Promise<CommandResult> {
    const target = [pod, `--namespace=${namespace}`, `--container=${container}`];
    return this.kubectl(["exec", ...target, "--", ...command], options);
  }

  /** All addresses of a pod, one of each family that the cluster has. Waits until it has them. */
  async podIps(namespace: string, pod: string): Promise<readonly string[]> {
    const find = async () => {
      const { status } = await this.get<PodObject>("pod", pod, namespace);
      return status.podIPs?.map(({ ip }) => ip);
    };
    return waitUntil(`addresses of ${namespace}/${pod}`, find, { timeoutMs: POD_TIMEOUT_MS });
  }

  async podIp(namespace: string, pod: string): Promise<string> {
    return (await this.podIps(namespace, pod))[0] ?? "";
  }

  async #succeed(args: readonly string[], options: CommandOptions = {}): Promise<string> {
    const { stdout, stderr, exitCode } = await this.kubectl(args, options);
    if (exitCode !== 0) throw new Error(`kubectl ${args.join(" ")} failed with ${exitCode}: ${stderr}`);
    return stdout;
  }

  #environment(): NodeJS.ProcessEnv {
    return { ...systemEnvironment(), KUBECONFIG: this.kubeconfig };
  }
}

export interface PodObject {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: {
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}
