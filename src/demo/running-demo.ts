import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { SocketAddress } from "../base/socket-address.ts";
import { formatSocketAddress } from "../config/addresses.ts";
import { CURRENT_FILE } from "../snapshot/snapshot-files.ts";
import { Child } from "./child.ts";
import type { ClusterReady } from "./demo-cluster.ts";
import type { DemoOptions } from "./demo-options.ts";
import { listenProblem, nextFreePort } from "./ports.ts";
import { pause, waitUntilReady } from "./readiness.ts";

/** Something that the demo cannot do, told in words for its user. */
export class DemoError extends Error {}

const SNAPSHOT_POLL_MS = 20;

/**
 * The processes of the demo: an API server and an agent beside it, with a temporary directory for what they keep.
 * Whoever starts it stops it; nothing outlives it.
 */
export class RunningDemo {
  readonly options: DemoOptions;
  readonly #root: string;
  readonly #clock: Clock;
  readonly #directory: string;
  readonly #children = new Set<Child>();
  #api: Child | undefined;
  #apiPort = 0;
  #agent: Child | undefined;
  #admin: SocketAddress;
  #isStopped = false;

  /** @param root The directory of the package, with `bin` and `dist`. */
  constructor(options: DemoOptions, root: string, clock: Clock) {
    this.options = options;
    this.#root = root;
    this.#clock = clock;
    this.#admin = options.admin;
    this.#directory = mkdtempSync(join(tmpdir(), "holdfast-demo-"));
    mkdirSync(this.#dataDirectory);
  }

  get apiUrl(): string {
    return `http://127.0.0.1:${this.#apiPort}`;
  }

  get apiPid(): number | undefined {
    return this.#api?.pid;
  }

  get agentPid(): number | undefined {
    return this.#agent?.pid;
  }

  /** Of the agent that answers now: a successor cannot have the port that its predecessor still holds. */
  get admin(): SocketAddress {
    return this.#admin;
  }

  get #dataDirectory(): string {
    return join(this.#directory, "data");
  }

  get #kubeconfig(): string {
    return join(this.#directory, "kubeconfig.json");
  }

  /** @throws DemoError when a port is taken or a process does not start. */
  async start(): Promise<void> {
    await this.#checkPorts();
    await this.startApi();
    writeFileSync(this.#kubeconfig, kubeconfig(this.apiUrl));
    this.#agent = this.#startAgent("agent.log", this.#admin);
    await this.#waitUntilReady(this.#agent, this.#admin);
  }

  /** The first time on a free port, then on the same: it is the same API server for its clients. */
  async startApi(): Promise<void> {
    const script = join(this.#root, "dist", "demo-cluster.cjs");
    const logFile = join(this.#directory, "api-server.log");
    const api = this.#startChild([script, "--port", String(this.#apiPort)], logFile, { pipeOutput: true });
    const line = await api.firstLine();
    if (line === "") throw new DemoError(`The embedded API server did not start:\n${api.logTail()}`);
    this.#apiPort = (JSON.parse(line) as ClusterReady).port;
    this.#api = api;
  }

  async killApi(): Promise<void> {
    await this.#api?.kill();
    this.#api = undefined;
  }

  /** @throws DemoError when the agent writes no snapshot. */
  async waitForSnapshot(timeoutMs: number): Promise<void> {
    const startedMs = this.#clock.nowMs();
    while (!existsSync(join(this.#dataDirectory, CURRENT_FILE))) {
      if (this.#clock.nowMs() - startedMs > timeoutMs)
        throw new DemoError(
          `The agent wrote no snapshot in ${timeoutMs} ms:\n${this.#agent?.logTail() ?? ""}`,
        );
      await pause(SNAPSHOT_POLL_MS, this.#clock);
    }
  }

  /**
   * Starts a second agent on the same DNS address, on the same data, and waits until it is ready.
   *
   * @returns How long that took, and how to end the first agent; that resolves to how long it drained.
   */
  async startSuccessor(): Promise<{ readyMs: number; retirePredecessor: () => Promise<number> }> {
    const predecessor = this.#agent;
    const admin = await nextFreePort(this.options.admin);
    const successor = this.#startAgent("agent-successor.log", admin);
    const readyMs = await this.#waitUntilReady(successor, admin);
    this.#agent = successor;
    this.#admin = admin;
    const retirePredecessor = async (): Promise<number> => {
      const startedMs = this.#clock.nowMs();
      await predecessor?.stop();
      return this.#clock.nowMs() - startedMs;
    };
    return { readyMs, retirePredecessor };
  }

  /** Resolves when the agent that answers now has ended, with the end of its log. */
  async agentEnded(): Promise<string> {
    const agent = this.#agent;
    await agent?.exited();
    return agent === this.#agent ? (agent?.logTail() ?? "") : this.agentEnded();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([...this.#children].map((child) => child.stop()));
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** For a process that is about to exit and cannot wait. */
  stopAtOnce(): void {
    for (const child of this.#children) void child.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #startAgent(logName: string, admin: SocketAddress): Child {
    const { listen, agentArgs } = this.options;
    const args = [
      join(this.#root, "bin", "holdfast.cjs"),
      "agent",
      `--kubeconfig=${this.#kubeconfig}`,
      `--data-dir=${this.#dataDirectory}`,
      `--listen=${formatSocketAddress(listen)}`,
      `--admin=${formatSocketAddress(admin)}`,
      ...agentArgs,
    ];
    return this.#startChild(args, join(this.#directory, logName), { pipeOutput: false });
  }

  async #waitUntilReady(agent: Child, admin: SocketAddress): Promise<number> {
    const readyMs = await waitUntilReady(agent, admin, this.#clock);
    if (readyMs !== undefined) return readyMs;
    throw new DemoError(
      `The agent ${agent.hasExited ? "ended" : "did not get ready"}. It said:\n${agent.logTail()}`,
    );
  }

  #startChild(args: readonly string[], logFile: string, options: { pipeOutput: boolean }): Child {
    // A drill may still be under way when the demo is ended.
    if (this.#isStopped) throw new DemoError("The demo was ended");
    const child = Child.start(args, logFile, options);
    this.#children.add(child);
    void child.exited().then(() => this.#children.delete(child));
    return child;
  }

  async #checkPorts(): Promise<void> {
    const { listen, admin } = this.options;
    const wanted = [
      { flag: "--listen", protocol: "UDP", address: listen },
      { flag: "--listen", protocol: "TCP", address: listen },
      { flag: "--admin", protocol: "TCP", address: admin },
    ] as const;
    for (const { flag, protocol, address } of wanted) {
      const problem = await listenProblem(protocol, address);
      if (problem === undefined) continue;
      const text = formatSocketAddress(address);
      const other = formatSocketAddress({
        ...address,
        port: address.port === 65_535 ? 5454 : address.port + 101,
      });
      const reason = problem === "EADDRINUSE" ? "another process has the port" : problem;
      throw new DemoError(
        `Cannot listen on ${text} (${protocol}): ${reason}. Choose another address: npm start -- ${flag} ${other}`,
      );
    }
  }
}

/** As YAML, of which JSON is a part. */
function kubeconfig(server: string): string {
  return JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "demo",
      clusters: [{ name: "demo", cluster: { server } }],
      contexts: [{ name: "demo", context: { cluster: "demo", user: "demo" } }],
      users: [{ name: "demo", user: {} }],
    },
    undefined,
    2,
  );
}
