import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentProcess, type AgentOptions } from "../support/agent-process.ts";
import type { Usage } from "../support/agent-process-usage.ts";
import { writeServiceSlices, type Cluster } from "../support/api-writer-cluster.ts";
import type { ApiWriter } from "../support/api-writer.ts";
import { startPreparedControlPlane, type PreparedControlPlane } from "../support/control-plane-prepared.ts";
import { LARGE_CLUSTER } from "../support/control-plane-sizes.ts";
import type { ControlPlane } from "../support/control-plane.ts";
import { CoreDns } from "../support/coredns.ts";

/** One row of the result. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly holdfast: number | undefined;
  /** Undefined where CoreDNS has nothing like it. */
  readonly coredns: number | undefined;
  /** As DESIGN section 10 or the requirement has it; empty for figures that only inform. */
  readonly goal: string;
}

/** What the sections need of a server under test. */
export interface Server {
  readonly port: number;
  readonly startedAtMs: number;
  usage(): Usage;
  close(): Promise<void>;
}

/** One run on one machine: both servers always read the same objects from the same API server. */
export class BenchRun {
  readonly queryFile: string;
  readonly #prepared: PreparedControlPlane;
  readonly #directory: string;
  readonly #open = new Set<Server>();
  #hasServiceSlices = false;

  private constructor(prepared: PreparedControlPlane, directory: string) {
    this.#prepared = prepared;
    this.#directory = directory;
    this.queryFile = join(directory, "queries.txt");
  }

  static async open(): Promise<BenchRun> {
    const directory = await mkdtemp(join(tmpdir(), "holdfast-bench-"));
    const prepared = await startPreparedControlPlane(LARGE_CLUSTER);
    const run = new BenchRun(prepared, directory);
    await writeFile(run.queryFile, queryMix(prepared.cluster));
    return run;
  }

  get plane(): ControlPlane {
    return this.#prepared.plane;
  }

  get writer(): ApiWriter {
    return this.#prepared.writer;
  }

  get cluster(): Cluster {
    return this.#prepared.cluster;
  }

  /** Adds an EndpointSlice to each ClusterIP Service, once. */
  async addServiceSlices(): Promise<void> {
    if (this.#hasServiceSlices) return;
    this.#hasServiceSlices = true;
    await writeServiceSlices(this.writer, this.cluster.services);
  }

  /** Not started yet; ends with the run. */
  async createAgent(options: Partial<AgentOptions> = {}): Promise<AgentProcess> {
    const agent = await AgentProcess.create({ kubeconfig: this.plane.kubeconfig("agent"), ...options });
    this.#open.add(agent);
    return agent;
  }

  /** In step with the API server. */
  async startAgent(): Promise<AgentProcess> {
    const agent = await this.createAgent();
    agent.spawn();
    await agent.waitLive();
    return agent;
  }

  /** In step with the API server. */
  async startCoreDns(): Promise<CoreDns> {
    const server = await CoreDns.start(this.plane.kubeconfig("coredns"));
    this.#open.add(server);
    return server;
  }

  /** Returns as soon as the program is started. */
  async spawnCoreDns(): Promise<CoreDns> {
    const server = await CoreDns.spawn(this.plane.kubeconfig("coredns"));
    this.#open.add(server);
    return server;
  }

  async end(...servers: readonly Server[]): Promise<void> {
    for (const server of servers) {
      this.#open.delete(server);
      await server.close();
    }
  }

  async close(): Promise<void> {
    await this.end(...this.#open);
    await this.#prepared.close();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** For each Service an A and an AAAA query, and for every second one a name that does not exist: 40, 40 and 20 percent. */
function queryMix(cluster: Cluster): string {
  const lines = cluster.services.flatMap(({ metadata, spec }, index) => {
    if (spec.type === "ExternalName") return [];
    const domain = `${metadata.namespace}.svc.cluster.local`;
    const pair = [`${metadata.name}.${domain} A`, `${metadata.name}.${domain} AAAA`];
    return index % 2 === 0 ? [...pair, `missing-${index}.${domain} A`] : pair;
  });
  return `${lines.join("\n")}\n`;
}
