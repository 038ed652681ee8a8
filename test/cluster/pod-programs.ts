import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitUntil } from "../support/control-plane-process.ts";
import type { ClusterNode } from "../support/node/cluster-node.ts";
import type { Cluster } from "../support/node/cluster.ts";
import { runToSuccess, systemEnvironment } from "../support/node/run-command.ts";
import type { LookupTotals } from "./clients/lookups.ts";
import type { ProbeTotals } from "./clients/udp-probe.ts";
import { AGENT_IMAGE, OPTED_IN } from "./installed-chart.ts";

/** Names that clients look up, in the namespace of the pods, with what they have to find. */
const SERVICES = Array.from({ length: 20 }, (_, index) => {
  return { name: `web-${index}`, address: `10.96.77.${index + 1}` };
});

export async function createServices(cluster: Cluster): Promise<void> {
  const items = SERVICES.map(({ name, address }) => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: OPTED_IN },
    spec: { clusterIP: address, ports: [{ port: 80 }] },
  }));
  await cluster.apply(JSON.stringify({ apiVersion: "v1", kind: "List", items }));
}

/** Asks one server over UDP, with no other to turn to. */
export function startUdpProbe(
  node: ClusterNode,
  pod: string,
  options: { readonly server: string; readonly queriesPerSecond: number },
): Promise<PodProgram<ProbeTotals>> {
  const names = SERVICES.map(({ name, address }) => `${name}.${OPTED_IN}.svc.cluster.local=${address}`);
  const args = [options.server, "53", String(options.queriesPerSecond), ...names];
  return PodProgram.start<ProbeTotals>(node, { pod, program: "udp-probe.ts", args });
}

export const RESOLVERS = ["glibc", "musl", "Go", "Node.js c-ares"] as const;
export type Resolver = (typeof RESOLVERS)[number];

/** Looks up names with the nameservers that the pod was given: short ones, where the resolver knows the pod's search list. */
export async function startLookups(
  node: ClusterNode,
  pod: string,
  options: { readonly resolver: Resolver; readonly lookupsPerSecond: number },
): Promise<PodProgram<LookupTotals>> {
  const { resolver, lookupsPerSecond } = options;
  const suffix = resolver === "Node.js c-ares" ? `.${OPTED_IN}.svc.cluster.local` : "";
  const args = [
    String(lookupsPerSecond),
    ...SERVICES.map(({ name, address }) => `${name}${suffix}=${address}`),
  ];
  if (resolver === "glibc" || resolver === "Node.js c-ares") {
    const call = resolver === "glibc" ? "getaddrinfo" : "c-ares";
    return PodProgram.start<LookupTotals>(node, { pod, program: "lookups.ts", args: [call, ...args] });
  }
  const image = await importCompiledClients(node);
  const command = [resolver === "musl" ? "/musl" : "/go"];
  return PodProgram.start<LookupTotals>(node, { pod, image, command, args });
}

const imported = new WeakMap<ClusterNode, Promise<string>>();

/** The clients that bring their resolver with them, each a static program. */
function importCompiledClients(node: ClusterNode): Promise<string> {
  const image = imported.get(node) ?? compileClients(node);
  imported.set(node, image);
  return image;
}

async function compileClients(node: ClusterNode): Promise<string> {
  const context = await mkdtemp(join(tmpdir(), "holdfast-clients-"));
  const source = join(import.meta.dirname, "clients/lookups");
  await runToSuccess("musl-gcc", ["-O2", "-static", "-o", join(context, "musl"), `${source}.c`]);
  const env = { ...systemEnvironment(), CGO_ENABLED: "0" };
  await runToSuccess("go", ["build", "-o", join(context, "go"), `${source}.go`], { env });
  await writeFile(join(context, "Containerfile"), "FROM scratch\nCOPY musl go /\n");
  const image = await node.importImage("lookups", context);
  await rm(context, { recursive: true });
  return image;
}

interface Totals {
  readonly longestMs: number;
}

/** A program of `clients` that runs in a pod with the agent's image, and prints its sums once a second. */
export class PodProgram<Sums extends Totals> {
  readonly #node: ClusterNode;
  readonly #pod: string;

  private constructor(node: ClusterNode, pod: string) {
    this.#node = node;
    this.#pod = pod;
  }

  /** @param options  `program` is a file of `clients` for Node.js; without it the image has the program. */
  static async start<Sums extends Totals>(
    node: ClusterNode,
    options: { readonly pod: string; readonly args: readonly string[] } & (
      | { readonly program: string }
      | { readonly image: string; readonly command: readonly string[] }
    ),
  ): Promise<PodProgram<Sums>> {
    const { pod, args } = options;
    const metadata = { name: pod, namespace: OPTED_IN };
    const data: Record<string, string> = {};
    let { image, command } = { image: AGENT_IMAGE, command: ["/nodejs/bin/node"] as readonly string[] };
    if ("program" in options) {
      data[options.program] = await readFile(join(import.meta.dirname, "clients", options.program), "utf8");
      command = [...command, `/program/${options.program}`];
    } else ({ image, command } = options);
    const container = {
      name: "main",
      image,
      command,
      args,
      env: [{ name: "UV_THREADPOOL_SIZE", value: "64" }],
      volumeMounts: [{ name: "program", mountPath: "/program" }],
    };
    const spec = {
      terminationGracePeriodSeconds: 0,
      containers: [container],
      volumes: [{ name: "program", configMap: { name: pod } }],
    };
    await node.apply(JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata, data }));
    await node.apply(JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata, spec }));
    await node.waitForPod(OPTED_IN, pod);
    const started = new PodProgram<Sums>(node, pod);
    // A new pod's IPv6 address is good after some seconds (RFC 4862 section 5.4), and what is lost is counted a second later.
    await started.read({ afterSeconds: 4 });
    return started;
  }

  /** The sums after some more seconds, and the longest wait in them. Needs neither API server nor kubelet. */
  async read({ afterSeconds }: { readonly afterSeconds: number }): Promise<Sums> {
    const before = (await this.#lines()).length;
    const find = async () => {
      const lines = (await this.#lines()).slice(before);
      if (lines.length < afterSeconds) return undefined;
      const longestMs = Math.max(...lines.map((line) => line.longestMs));
      return { ...lines[lines.length - 1], longestMs };
    };
    return waitUntil(`${afterSeconds} s of ${this.#pod}`, find, { timeoutMs: 60_000 + afterSeconds * 2000 });
  }

  /** What happened meanwhile: the difference of the sums, and the longest wait. What is lost is counted within 3 s. */
  async during(run: () => Promise<void>): Promise<Sums> {
    const first = (await this.#lines()).length;
    const before = await this.read({ afterSeconds: 1 });
    await run();
    const after = await this.read({ afterSeconds: 3 });
    const longestMs = Math.max(...(await this.#lines()).slice(first).map((line) => line.longestMs));
    const entries = Object.entries(after) as [keyof Sums, number][];
    const sums = entries.map(([name, sum]) => [name, sum - (before[name] as number)]);
    return { ...(Object.fromEntries(sums) as Sums), longestMs };
  }

  async end(): Promise<void> {
    const objects = [`pod/${this.#pod}`, `configmap/${this.#pod}`];
    await this.#node.kubectl(["delete", ...objects, `--namespace=${OPTED_IN}`]);
  }

  async #lines(): Promise<Sums[]> {
    const log = await this.#node.containerLog({ namespace: OPTED_IN, pod: this.#pod, container: "main" });
    return log.filter(({ text }) => text.startsWith("{")).map(({ text }) => JSON.parse(text) as Sums);
  }
}
