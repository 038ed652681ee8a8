import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { usageOf, type Usage } from "./agent-process-usage.ts";
import { freePort, pause, startProcess, waitUntil, type ManagedProcess } from "./control-plane-process.ts";

const COMMAND = fileURLToPath(new URL("../../bin/holdfast.cjs", import.meta.url));

/** Namespaces, Services and EndpointSlices. */
const KINDS = 3;

export interface AgentOptions {
  readonly kubeconfig: string;
  readonly endpoints?: "headless" | "all";
  /** Default: cluster.local. */
  readonly zones?: readonly string[];
}

/**
 * The built agent as users run it: a process of its own, with ports and a data directory that outlive its restarts.
 */
export class AgentProcess {
  readonly port: number;
  readonly adminPort: number;
  readonly dataDirectory: string;
  readonly #options: AgentOptions;
  readonly #directory: string;
  #process: ManagedProcess | undefined;

  private constructor(options: AgentOptions, directory: string, ports: readonly [number, number]) {
    this.#options = options;
    this.#directory = directory;
    this.dataDirectory = join(directory, "data");
    [this.port, this.adminPort] = ports;
  }

  /** Prepares an agent without starting it. */
  static async create(options: AgentOptions): Promise<AgentProcess> {
    const directory = await mkdtemp(join(tmpdir(), "holdfast-agent-"));
    return new AgentProcess(options, directory, [await freePort(), await freePort()]);
  }

  /** Starts the program and returns at once. */
  spawn(): void {
    if (this.#process?.hasExited() === false) throw new Error("Cannot start the agent: it runs already");
    const { kubeconfig, endpoints = "headless", zones = [] } = this.#options;
    const args = [
      "agent",
      "--source=kubernetes",
      `--kubeconfig=${kubeconfig}`,
      `--endpoints=${endpoints}`,
      `--listen=127.0.0.1:${this.port}`,
      `--admin=127.0.0.1:${this.adminPort}`,
      `--data-dir=${this.dataDirectory}`,
      "--log-format=json",
      ...zones.map((zone) => `--zone=${zone}`),
    ];
    this.#process = startProcess(process.execPath, [COMMAND, ...args], { logFile: this.logFile });
  }

  get logFile(): string {
    return join(this.#directory, "agent.log");
  }

  /** `performance.now()` just before the last exec. */
  get startedAtMs(): number {
    return this.#running().startedAtMs;
  }

  usage(): Usage {
    return usageOf(this.#running().pid);
  }

  /** Every kind is live: what it answers is what the API server says. */
  async waitLive(timeoutMs = 60_000): Promise<void> {
    const probe = async () => {
      const live = (await this.metrics()).match(/^holdfast_kind_state\{.*state="live".*\} 1$/gm) ?? [];
      return live.length === KINDS ? true : undefined;
    };
    await waitUntil("agent live", probe, { timeoutMs, process: this.#running() });
  }

  async metrics(): Promise<string> {
    return (await this.#admin("/metrics")).text();
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    await this.#running().kill(signal);
  }

  /** SIGKILL at once, then a new start on the same data directory. */
  async restart(): Promise<void> {
    await this.kill();
    this.spawn();
  }

  /** Gives the snapshot writer the second that the design allows it. */
  async waitForSnapshot(): Promise<void> {
    await pause(1500);
  }

  async close(): Promise<void> {
    if (this.#process !== undefined) await this.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }

  #running(): ManagedProcess {
    if (this.#process === undefined) throw new Error("The agent was not started");
    return this.#process;
  }

  #admin(path: string): Promise<Response> {
    const signal = AbortSignal.timeout(5000);
    return fetch(`http://127.0.0.1:${this.adminPort}${path}`, { signal });
  }
}
