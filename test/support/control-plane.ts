/**
 * A real control plane: etcd and kube-apiserver, and the controller manager where a test wants it. On loopback, or on the host
 * of a node (`test/support/node`).
 *
 * Each instance has a temporary directory and ports of its own, so that tests can kill and restart components. Clients are
 * told apart by user: every kubeconfig has a token of its own, and the audit log names the user of each request.
 */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { provideAssets } from "../../scripts/build-assets.ts";
import type { ApiAccess } from "./api-writer.ts";
import {
  apiServerAuthority,
  componentArguments,
  type Component,
  type Layout,
} from "./control-plane-arguments.ts";
import {
  freePort,
  LOOPBACK_HOST,
  waitUntil,
  type ManagedProcess,
  type ProcessHost,
} from "./control-plane-process.ts";
import { parseRequestTotals, type AuditedRequest, type RequestTotals } from "./control-plane-requests.ts";

/** What the kubelet of a node of ours is called: the name is part of its user's. */
export const NODE_NAME = "node-0";
const ADMINISTRATORS = "system:masters";

/** Whose token a kubeconfig carries: administrators for the clients that tests start, and the components of a node as they are. */
const USERS = {
  admin: { name: "admin", group: ADMINISTRATORS },
  agent: { name: "agent", group: ADMINISTRATORS },
  coredns: { name: "coredns", group: ADMINISTRATORS },
  kubelet: { name: `system:node:${NODE_NAME}`, group: "system:nodes" },
  "kube-proxy": { name: "system:kube-proxy", group: "system:authenticated" },
  "kube-scheduler": { name: "system:kube-scheduler", group: "system:authenticated" },
} as const;
export type ClusterUser = keyof typeof USERS;

const START_TIMEOUT_MS = 60_000;
type Ports = Layout["ports"];

/** One line for each request received: everything that agents ask for, and the lists and watches of others. No bodies. */
const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [ResponseStarted, ResponseComplete, Panic]
rules:
- level: Metadata
  users: [agent]
- level: Metadata
  userGroups: ["system:serviceaccounts"]
- level: Metadata
  verbs: [list, watch]
- level: None
`;

export interface ControlPlaneOptions {
  readonly withControllerManager?: boolean;
  /** A copy of this etcd data directory is what the API server finds; default: an empty cluster. */
  readonly etcdData?: string;
  /** Default: loopback. */
  readonly host?: ProcessHost;
  /** A kubelet joins: the API server knows nodes and allows privileged pods. */
  readonly hasNode?: boolean;
  /** Where its own directory is made; default: the system's temporary directory. */
  readonly parentDirectory?: string;
  readonly apiServerFlags?: readonly string[];
  readonly report?: (line: string) => void;
}

export class ControlPlane {
  readonly directory: string;
  readonly url: string;
  readonly #ports: Ports;
  readonly #programs: Readonly<Record<Component, string>>;
  readonly #host: ProcessHost;
  readonly #hasNode: boolean;
  readonly #apiServerFlags: readonly string[];
  readonly #tokens: Readonly<Record<ClusterUser, string>>;
  readonly #processes = new Map<Component, ManagedProcess>();
  readonly #agent = new Agent({ keepAlive: true, rejectUnauthorized: false });

  private constructor(
    directory: string,
    programs: Readonly<Record<Component, string>>,
    ports: Ports,
    options: ControlPlaneOptions,
  ) {
    this.directory = directory;
    this.#programs = programs;
    this.#ports = ports;
    this.#host = options.host ?? LOOPBACK_HOST;
    this.#hasNode = options.hasNode ?? false;
    this.#apiServerFlags = options.apiServerFlags ?? [];
    this.url = `https://${this.#host.address}:${ports.api}`;
    const tokens = userNames().map((user) => [user, randomBytes(16).toString("hex")]);
    this.#tokens = Object.fromEntries(tokens) as Record<ClusterUser, string>;
  }

  /** @throws {AssetsUnavailable} The programs are neither installed nor can be built here. */
  static async start(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
    const names: readonly Component[] = [
      "etcd",
      "kube-apiserver",
      ...(options.withControllerManager === true ? ["kube-controller-manager" as const] : []),
    ];
    const programs = await provideAssets(names, options.report ?? ((line) => console.log(`# ${line}`)));
    const directory = await mkdtemp(join(options.parentDirectory ?? tmpdir(), "holdfast-control-plane-"));
    const ports = { etcd: await freePort(), etcdPeer: await freePort(), api: await freePort() };
    const plane = new ControlPlane(directory, programs, ports, options);
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
    const args = componentArguments(component, this.#layout());
    const logFile = join(this.directory, `${component}.log`);
    const process = await this.#host.start(this.#programs[component], args, { logFile });
    this.#processes.set(component, process);
    const probe = () => this.#isReady(component);
    await waitUntil(`${component} ready`, probe, { timeoutMs: START_TIMEOUT_MS, process });
  }

  async kill(component: Component, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const process = this.#process(component);
    this.#processes.delete(component);
    await process.kill(signal);
  }

  /** Sends a signal that does not end the component. */
  signal(component: Component, signal: NodeJS.Signals): void {
    this.#process(component).signal(signal);
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
      const response = await fetch(`http://${this.#host.address}:${this.#ports.etcd}/health`);
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
    const rows = userNames().map((user) => {
      const { name, group } = USERS[user];
      return `${this.#tokens[user]},${name},${name},"${group}"\n`;
    });
    await this.#write("tokens.csv", rows.join(""));
    for (const user of userNames()) await this.#write(`kubeconfig-${user}.yaml`, this.#kubeconfigText(user));
  }

  async #write(name: string, content: string | Buffer): Promise<void> {
    await writeFile(join(this.directory, name), content, { mode: 0o600 });
  }

  #layout(): Layout {
    return {
      directory: this.directory,
      ports: this.#ports,
      kubeconfig: this.kubeconfig("admin"),
      address: this.#host.address,
      hasNode: this.#hasNode,
      apiServerFlags: this.#apiServerFlags,
    };
  }

  #kubeconfigText(user: ClusterUser): string {
    const authority = apiServerAuthority(this.directory);
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

function userNames(): ClusterUser[] {
  return Object.keys(USERS) as ClusterUser[];
}
