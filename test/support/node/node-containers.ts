import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ManagedProcess } from "../control-plane-process.ts";
import type { NodeNamespaces } from "./namespaces.ts";
import { POD_LOGS_DIRECTORY } from "./node-files.ts";
import type { CommandOptions, CommandResult } from "./run-command.ts";

/** A container of a pod, as its manifest names it. */
export interface ContainerName {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

export interface LogLine {
  readonly time: Date;
  readonly stream: "stdout" | "stderr";
  readonly text: string;
}

/** The containers of a node, asked from containerd itself: all of it works while the API server and the kubelet are down. */
export class NodeContainers {
  readonly #namespaces: NodeNamespaces;
  readonly #directory: string;
  readonly #ctr: string;
  #execCount = 0;

  constructor(namespaces: NodeNamespaces, directory: string, ctr: string) {
    this.#namespaces = namespaces;
    this.#directory = directory;
    this.#ctr = ctr;
  }

  async isServing(): Promise<boolean> {
    return (await this.#namespaces.run(this.#ctr, ["version"])).exitCode === 0;
  }

  /** @param archive In the OCI layout; images get the names that it gives them. */
  async importArchive(archive: string): Promise<void> {
    await this.#run(["images", "import", archive]);
  }

  async tagImage(reference: string, newReference: string): Promise<void> {
    await this.#run(["images", "tag", "--force", reference, newReference]);
  }

  /** Of the container that runs now: a restarted one has another id. @throws No such container runs. */
  async idOf(name: ContainerName): Promise<string> {
    const filter = [
      `labels."io.kubernetes.pod.namespace"==${name.namespace}`,
      `labels."io.kubernetes.pod.name"==${name.pod}`,
      `labels."io.kubernetes.container.name"==${name.container}`,
    ];
    const ids = (await this.#run(["containers", "list", "--quiet", filter.join()])).split("\n");
    const tasks = (await this.#run(["tasks", "list"])).split("\n").map((line) => line.split(/\s+/));
    const running = tasks.find(([id = "", , status]) => ids.includes(id) && status === "RUNNING");
    if (running?.[0] === undefined)
      throw new Error(`No container ${name.container} of pod ${name.namespace}/${name.pod} runs`);
    return running[0];
  }

  /** Signals the main process of the container that runs now. */
  async signal(name: ContainerName, signal: NodeJS.Signals): Promise<void> {
    await this.#run(["tasks", "kill", `--signal=${signal}`, await this.idOf(name)]);
  }

  async exec(
    name: ContainerName,
    command: readonly string[],
    options: CommandOptions = {},
  ): Promise<CommandResult> {
    const args = await this.#execArguments(name, command);
    return this.#namespaces.run(this.#ctr, args, options);
  }

  /** Starts a command in a container; its output goes to a file, and can be read as it comes. */
  async start(name: ContainerName, command: readonly string[]): Promise<ManagedProcess> {
    const args = await this.#execArguments(name, command);
    const logFile = join(this.#directory, `exec-${this.#execCount}.log`);
    return this.#namespaces.start(this.#ctr, args, { logFile });
  }

  /** What a container has written so far, earlier restarts included, from the files that kubelets keep. */
  async log(name: ContainerName): Promise<LogLine[]> {
    const logs = join(this.#directory, "var/log", POD_LOGS_DIRECTORY);
    const pods = (await readdir(logs)).filter((entry) => entry.startsWith(`${name.namespace}_${name.pod}_`));
    const lines: LogLine[] = [];
    for (const pod of pods) {
      const directory = join(logs, pod, name.container);
      const files = (await readdir(directory)).toSorted((a, b) => Number.parseInt(a) - Number.parseInt(b));
      for (const file of files) lines.push(...parseLog(await readFile(join(directory, file), "utf8")));
    }
    return lines;
  }

  async #execArguments(name: ContainerName, command: readonly string[]): Promise<string[]> {
    const execId = `holdfast-${++this.#execCount}`;
    return ["--namespace=k8s.io", "tasks", "exec", `--exec-id=${execId}`, await this.idOf(name), ...command];
  }

  async #run(args: readonly string[]): Promise<string> {
    return this.#namespaces.runToSuccess(this.#ctr, ["--namespace=k8s.io", ...args]);
  }
}

/** CRI log format: `TIME STREAM TAGS TEXT`, where the tag `P` says that the line goes on in the next (KEP-1753). */
function parseLog(text: string): LogLine[] {
  const lines: LogLine[] = [];
  let begun = "";
  for (const line of text.split("\n").slice(0, -1)) {
    const [time = "", stream = "", tag = "", ...words] = line.split(" ");
    begun += words.join(" ");
    if (tag === "P") continue;
    lines.push({ time: new Date(time), stream: stream === "stderr" ? "stderr" : "stdout", text: begun });
    begun = "";
  }
  return lines;
}
