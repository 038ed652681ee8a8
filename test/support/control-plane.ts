/**
 * A real control plane on loopback: etcd and kube-apiserver, and the controller manager where a test wants it.
 *
 * Each instance has a temporary directory and ports of its own, so that tests can kill and restart components. Clients are
 * told apart by user: every kubeconfig has a token of its own, and the audit log names the user of each request.
 */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { provideAssets, type Asset } from "../../scripts/build-assets.ts";
import type { ApiAccess } from "./api-writer.ts";
import { componentArguments, type Component, type Layout } from "./control-plane-arguments.ts";
import { freePort, startProcess, waitUntil, type ManagedProcess } from "./control-plane-process.ts";
import { parseRequestTotals, type AuditedRequest, type RequestTotals } from "./control-plane-requests.ts";

const USERS = ["admin", "agent", "coredns"] as const;
/** Whose token a kubeconfig carries; all are cluster administrators. */
export type ClusterUser = (typeof USERS)[number];

const START_TIMEOUT_MS = 60_000;

/** One line for each request received: everything the agent asks for, and the lists and watches of others. No bodies. */
const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [ResponseStarted, ResponseComplete, Panic]
rules:
- level: Metadata
  users: [agent]
- level: Metadata
  verbs: [list, watch]
- level: None
`;

export interface ControlPlaneOptions {
  readonly withControllerManager?: boolean;
  /** A copy of this etcd data directory is what the API server finds; default: an empty cluster. */
  readonly etcdData?: string;
  readonly report?: (line: string) => void;
}

export class ControlPlane {
  readonly directory: string;
  readonly url: string;
  readonly #ports: Readonly<Record<"etcd" | "etcdPeer" | "api", number>>;
  readonly #programs: Readonly<Record<Asset, string>>;
  readonly #tokens: Readonly<Record<ClusterUser, string>>;
  readonly #processes = new Map<Component, ManagedProcess>();
  readonly #agent = new Agent({ keepAlive: true, rejectUnauthorized: false });

  private constructor(
    directory: string,
    programs: Readonly<Record<Asset, string>>,
    ports: Readonly<Record<"etcd" | "etcdPeer" | "api", number>>,
  ) {
    this.directory = directory;
    this.#programs = programs;
    this.#ports = ports;
    this.url = `https://127.0.0.1:${ports.api}`;
    this.#tokens = Object.fromEntries(USERS.map((user) => [user, randomBytes(16).toString("hex")])) as Record<
      ClusterUser,
      string
    >;
  }

  /** @throws {AssetsUnavailable} The programs are neither installed nor can be built here. */
  static async start(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
    const names: readonly Asset[] = [
      "etcd",
      "kube-apiserver",
      ...(options.withControllerManager === true ? ["kube-controller-manager" as const] : []),
    ];
    const programs = await provideAssets(names, options.report ?? ((line) => console.log(`# ${line}`)));
    const directory = await mkdtemp(join(tmpdir(), "holdfast-control-plane-"));
    const ports = { etcd: await freePort(), etcdPeer: await freePort(), api: await freePort() };
    const plane = new ControlPlane(directory, programs, ports);
    try {
      await plane.#writeFiles();
      if (options.etcdData !== undefined)
        await cp(options.etcdData, plane.etcdDirectory(), { recursive: true });
      await plane.startComponent("etcd");
      await plane.startComponent("kube-apiserver");
      if (options.withControllerManager === true) await plane.startComponent("kube-controller-manager");
      return plane;
    } catch (error) {
      await plane.close();
      throw error;
    }
  }

  kubeconfig(user: ClusterUser): string {
    return join(this.directory, `kubeconfig-${user}.yaml`);
  }

  etcdDirectory(): string {
    return join(this.directory, "etcd");
  }

  /** How the administrator gets in. */
  access(): ApiAccess {
    return { url: this.url, headers: { authorization: `Bearer ${this.#tokens.admin}` } };
  }

  /** Starts a component that is not running, on the data it had before, and waits until it is ready. */
  async startComponent(component: Component): Promise<void> {
    if (this.#processes.has(component)) throw new Error(`Cannot start ${component}: it runs already`);
    const process = startProcess(this.#programs[component], componentArguments(component, this.#layout()), {
      logFile: join(this.directory, `${component}.log`),
    });
    this.#processes.set(component, process);
    const probe = () => this.#isReady(component);
    await waitUntil(`${component} ready`, probe, { timeoutMs: START_TIMEOUT_MS, process });
  }

  async kill(component: Component, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const process = this.#process(component);
    this.#processes.delete(component);
    await process.kill(signal);
  }

  /** One GET as the administrator. */
  async get(path: string): Promise<{ readonly status: number; readonly body: string }> {
    return await new Promise((resolve, reject) => {
      const { headers = {} } = this.access();
      request(`${this.url}${path}`, { agent: this.#agent, headers, timeout: 10_000 }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => (body += text));
        response.once("end", () => resolve({ status: response.statusCode ?? 0, body })).once("error", reject);
      })
        .once("error", reject)
        .end();
    });
  }

  /** The API server's own count of finished requests (`apiserver_request_total`). */
  async requestTotals(): Promise<RequestTotals> {
    return parseRequestTotals((await this.get("/metrics")).body);
  }

  /** Every request of the agent, and every list and watch of others, since the first start (audit log). */
  async auditedRequests(): Promise<AuditedRequest[]> {
    const lines = (await readFile(join(this.directory, "audit.log"), "utf8")).split("\n");
    return lines
      .filter((line) => line !== "")
      .map((line) => {
        const event = JSON.parse(line) as {
          verb: string;
          requestURI: string;
          userAgent?: string;
          user: { username: string };
          objectRef?: { resource?: string };
        };
        return {
          user: event.user.username,
          userAgent: event.userAgent ?? "",
          verb: event.verb,
          resource: event.objectRef?.resource ?? "",
          uri: event.requestURI,
        };
      });
  }

  /** Ends every component and removes the directory. Idempotent. */
  async close(): Promise<void> {
    this.#agent.destroy();
    // Clients of a component go first; there is nothing to save, so nothing is asked to end gently.
    for (const component of ["kube-controller-manager", "kube-apiserver", "etcd"] as const) {
      if (this.#processes.has(component)) await this.kill(component);
    }
    await rm(this.directory, { recursive: true, force: true });
  }

  #process(component: Component): ManagedProcess {
    const process = this.#processes.get(component);
    if (process === undefined) throw new Error(`${component} is not running`);
    return process;
  }

  async #isReady(component: Component): Promise<true | undefined> {
    if (component === "etcd") {
      const response = await fetch(`http://127.0.0.1:${this.#ports.etcd}/health`);
      return response.ok ? true : undefined;
    }
    const path =
      component === "kube-apiserver" ? "/readyz" : "/api/v1/namespaces/default/serviceaccounts/default";
    return (await this.get(path)).status === 200 ? true : undefined;
  }

  async #writeFiles(): Promise<void> {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    await this.#write("service-account.key", privateKey.export({ type: "pkcs1", format: "pem" }));
    await this.#write("service-account.pub", publicKey.export({ type: "spki", format: "pem" }));
    await this.#write("audit-policy.yaml", AUDIT_POLICY);
    const rows = USERS.map((user) => `${this.#tokens[user]},${user},${user},"system:masters"\n`);
    await this.#write("tokens.csv", rows.join(""));
    for (const user of USERS) await this.#write(`kubeconfig-${user}.yaml`, this.#kubeconfigText(user));
  }

  async #write(name: string, content: string | Buffer): Promise<void> {
    await writeFile(join(this.directory, name), content, { mode: 0o600 });
  }

  #layout(): Layout {
    return { directory: this.directory, ports: this.#ports, kubeconfig: this.kubeconfig("admin") };
  }

  #kubeconfigText(user: ClusterUser): string {
    // The API server makes its certificate itself at the first start and keeps it: the file ends with the CA that signed it.
    const authority = join(this.directory, "pki", "apiserver.crt");
    return `apiVersion: v1
kind: Config
clusters:
- {name: test, cluster: {server: "${this.url}", certificate-authority: "${authority}"}}
users:
- {name: ${user}, user: {token: "${this.#tokens[user]}"}}
contexts:
- {name: test, context: {cluster: test, user: ${user}}}
current-context: test
`;
  }
}
