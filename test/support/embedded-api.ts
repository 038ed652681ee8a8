import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock } from "../../src/base/clock.ts";
import type { Clock } from "../../src/base/clock.ts";
import type { Kind } from "../../src/model/records.ts";
import { ListWatchHandler } from "../../src/relay/list-watch-handler.ts";
import type { ListWatchLimits } from "../../src/relay/list-watch-handler.ts";
import { ObjectStore } from "../../src/relay/object-store.ts";
import type { ObjectStoreOptions } from "../../src/relay/object-store.ts";
import type { KubernetesObject } from "../../src/relay/stored-object.ts";

const SERVER = "http://server";

export interface EmbeddedApiOptions {
  readonly objects?: readonly KubernetesObject[];
  /** Drives bookmarks, watch timeouts and the wait for a future resourceVersion. */
  readonly clock?: Clock;
  readonly store?: ObjectStoreOptions;
  readonly limits?: ListWatchLimits;
  /** 0 or missing: a free one. A fixed port lets a "restarted" API server come back where it was. */
  readonly port?: number;
}

export interface SeenRequest {
  readonly method: string;
  /** With the query string. */
  readonly path: string;
  readonly pathname: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly watch: boolean;
  readonly list: boolean;
}

export interface EmbeddedApi {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly port: number;
  /** The resourceVersion of the latest change. */
  readonly revision: number;
  /** Watches that are open now. */
  readonly watchCount: number;
  put(object: KubernetesObject): void;
  /** `namespace` is empty for a Namespace. */
  delete(kind: Kind, namespace: string, name: string): boolean;
  /** Everything asked so far, oldest first. */
  requests(): readonly SeenRequest[];
  /** Cuts all connections, as a crash does; the server can be connected to again at once. */
  cutConnections(): void;
  close(): Promise<void>;
}

/** A list/watch server on loopback, in this process. Objects without `metadata.uid` get one that depends on their name only. */
export async function startEmbeddedApi(options: EmbeddedApiOptions = {}): Promise<EmbeddedApi> {
  const store = new ObjectStore(options.store);
  for (const object of options.objects ?? []) store.put(withUid(object));
  const io = { clock: options.clock ?? systemClock, random: () => 0.5 };
  const handler = new ListWatchHandler(store, io, options.limits);
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    const { pathname, searchParams: query } = URL.parse(path, SERVER) ?? new URL(SERVER);
    const watch = ["1", "true"].includes(query.get("watch") ?? "");
    const { method = "", headers } = request;
    seen.push({ method, path, pathname, query, headers, watch, list: !watch });
    void handler.handle(request, response);
  });
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    get revision() {
      return store.revision;
    },
    get watchCount() {
      return handler.watchCount;
    },
    put: (object) => store.put(withUid(object)),
    delete: (kind, namespace, name) => store.delete(kind, namespace, name),
    requests: () => seen,
    cutConnections: () => server.closeAllConnections(),
    async close() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function withUid(object: KubernetesObject): KubernetesObject {
  const { namespace = "", name } = object.metadata;
  const digest = createHash("sha256").update(`${object.kind}/${namespace}/${name}`).digest("hex");
  const uid = [
    digest.slice(0, 8),
    digest.slice(8, 12),
    digest.slice(12, 16),
    digest.slice(16, 20),
    digest.slice(20, 32),
  ];
  return { ...object, metadata: { uid: uid.join("-"), ...object.metadata } };
}
