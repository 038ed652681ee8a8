import { Agent, request } from "node:https";
import { forEachConcurrently } from "./dns-probe.ts";

/** More connections do not make etcd faster; fewer leave it idle. */
const CONNECTIONS = 16;

const COLLECTIONS = {
  ConfigMap: ["/api/v1", "configmaps"],
  EndpointSlice: ["/apis/discovery.k8s.io/v1", "endpointslices"],
  Namespace: ["/api/v1", "namespaces"],
  Node: ["/api/v1", "nodes"],
  Pod: ["/api/v1", "pods"],
  Service: ["/api/v1", "services"],
} as const;

/** The part of a Kubernetes object that says where it lives; everything else is passed through. */
export interface KubernetesObject {
  readonly kind: keyof typeof COLLECTIONS;
  readonly apiVersion: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

/** Where an API server is and how to be let in: a token in `headers`, or a client certificate. */
export interface ApiAccess {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
}

/** Writes objects to an API server over a few keep-alive connections. */
export class ApiWriter {
  readonly #access: ApiAccess;
  readonly #agent: Agent;

  constructor(access: ApiAccess) {
    this.#access = access;
    const { cert, key } = access;
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: CONNECTIONS,
      // A test writes what it made up itself: who receives it needs no proof.
      rejectUnauthorized: false,
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
    });
  }

  /** @returns The object as the API server stored it, with what it allocated. */
  async create<T extends KubernetesObject>(object: T): Promise<T> {
    return JSON.parse(await this.#send("POST", collectionPath(object), object)) as T;
  }

  /** Creates all; the result has the order of the input. */
  async createAll<T extends KubernetesObject>(objects: readonly T[]): Promise<T[]> {
    const created: T[] = Array.from(objects);
    await forEachConcurrently(objects.entries(), CONNECTIONS, async ([index, object]) => {
      created[index] = await this.create(object);
    });
    return created;
  }

  /** Replaces fields of `status`, as a kubelet would: a JSON merge patch (RFC 7386). */
  async patchStatus(object: KubernetesObject, status: object): Promise<void> {
    await this.#send("PATCH", `${objectPath(object)}/status`, { status });
  }

  async delete(object: KubernetesObject): Promise<void> {
    await this.#send("DELETE", objectPath(object), { gracePeriodSeconds: 0 });
  }

  close(): void {
    this.#agent.destroy();
  }

  async #send(method: string, path: string, body: object): Promise<string> {
    const payload = Buffer.from(JSON.stringify(body));
    const headers = {
      ...this.#access.headers,
      "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json",
      "content-length": payload.length,
    };
    return await new Promise((resolve, reject) => {
      request(
        `${this.#access.url}${path}`,
        { method, headers, agent: this.#agent, timeout: 30_000 },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
          response.once("error", reject).once("end", () => {
            if ((response.statusCode ?? 0) < 300) resolve(text);
            else reject(new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 500)}`));
          });
        },
      )
        .once("error", reject)
        .end(payload);
    });
  }
}

function objectPath(object: KubernetesObject): string {
  return `${collectionPath(object)}/${object.metadata.name}`;
}

function collectionPath({ kind, metadata }: KubernetesObject): string {
  const [root, collection] = COLLECTIONS[kind];
  return metadata.namespace === undefined
    ? `${root}/${collection}`
    : `${root}/namespaces/${metadata.namespace}/${collection}`;
}
