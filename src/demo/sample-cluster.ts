import type { KubernetesObject } from "../relay/stored-object.ts";
import type { EndpointSpec, PortSpec, ServiceSpec, SliceSpec } from "./sample-objects.ts";
import { namespaceObject, serviceObject, sliceObject } from "./sample-objects.ts";

/**
 * A cluster of a made-up shop, the same in every run: some 150 Services of every kind that DNS distinguishes.
 * Who talks about a name of it (the demo's screen, the README) finds the name here.
 */
export interface SampleCluster {
  readonly namespaces: readonly string[];
  readonly services: readonly ServiceSpec[];
  readonly slices: readonly SliceSpec[];
}

export const ZONE = "cluster.local";

const HTTP: PortSpec = { name: "http", protocol: "TCP", port: 80 };
const HTTPS: PortSpec = { name: "https", protocol: "TCP", port: 443 };
const METRICS: PortSpec = { name: "metrics", protocol: "TCP", port: 9153 };
const POSTGRES: PortSpec = { name: "postgres", protocol: "TCP", port: 5432 };
const REDIS: PortSpec = { name: "redis", protocol: "TCP", port: 6379 };
const KAFKA: PortSpec = { name: "kafka", protocol: "TCP", port: 9092 };
const DNS_PORTS: readonly PortSpec[] = [
  { name: "dns", protocol: "UDP", port: 53 },
  { name: "dns-tcp", protocol: "TCP", port: 53 },
  METRICS,
];

/** Deployments behind a ClusterIP, by namespace. */
const DEPLOYMENTS: Readonly<Record<string, string>> = {
  "ingress-nginx": "controller admission default-backend",
  monitoring:
    "prometheus alertmanager grafana loki tempo kube-state-metrics pushgateway blackbox thanos-query",
  payments:
    "api ledger fraud cards wallets payouts invoices refunds webhooks reconciliation vault fx disputes kyc reports statements tokens settlement bank-gateway limits",
  search:
    "api indexer suggest ranking synonyms crawler embeddings facets spellcheck query-log analytics feedback",
  shop: "cart checkout catalog pricing reviews recommendations wishlist images frontend-bff inventory shipping tax gift-cards loyalty sessions notifications returns stores flags banners coupons delivery-slots orders",
  staging:
    "web cart checkout catalog pricing reviews inventory shipping tax sessions orders api ledger fraud cards indexer suggest ranking",
  warehouse:
    "picking packing dispatch stock robots labels carriers customs returns-desk scanners zones forecasts suppliers receiving audits weighing routing",
  crm: "contacts campaigns mailer segments surveys support tickets chat callbacks calendar templates exports",
  platform:
    "auth users roles audit feature-store scheduler mail-relay file-store thumbnailer geo-ip currency translations short-links qr-codes captcha config gateway edge-cache secrets certificates build-cache artifacts runners status-page",
};

export function buildSampleCluster(): SampleCluster {
  const builder = new ClusterBuilder();
  builder.service({ namespace: "default", name: "kubernetes", clusterIPs: ["10.96.0.1"], ports: [HTTPS] }, 1);
  builder.service(
    { namespace: "kube-system", name: "kube-dns", clusterIPs: ["10.96.0.10"], ports: DNS_PORTS },
    2,
  );
  builder.service(
    {
      namespace: "shop",
      name: "web",
      clusterIPs: ["10.96.1.10", "fd00:10:96::1:10"],
      ports: [HTTP, HTTPS],
    },
    4,
  );
  builder.statefulSet({ namespace: "shop", name: "db", clusterIPs: [], ports: [POSTGRES] }, 3);
  builder.service({ namespace: "shop", name: "cache", clusterIPs: [], ports: [REDIS] }, 4);
  builder.statefulSet({ namespace: "payments", name: "ledger-db", clusterIPs: [], ports: [POSTGRES] }, 3);
  builder.statefulSet({ namespace: "messaging", name: "kafka", clusterIPs: [], ports: [KAFKA] }, 5);
  builder.statefulSet({ namespace: "search", name: "shards", clusterIPs: [], ports: [HTTP] }, 6);
  builder.externalName("shop", "legacy-ledger", `ledger.payments.svc.${ZONE}`);
  builder.externalName("shop", "mail", "smtp.example.com");
  for (const [namespace, names] of Object.entries(DEPLOYMENTS)) {
    for (const name of names.split(" ")) builder.deployment(namespace, name);
  }
  return builder.build(["kube-public", "kube-node-lease"]);
}

export function objectsOf({ namespaces, services, slices }: SampleCluster): KubernetesObject[] {
  return [...namespaces.map(namespaceObject), ...services.map(serviceObject), ...slices.map(sliceObject)];
}

/** Hands out addresses in order, as the allocators of a young cluster would. */
class ClusterBuilder {
  readonly #services: ServiceSpec[] = [];
  readonly #slices: SliceSpec[] = [];
  #pods = 0;

  deployment(namespace: string, name: string): void {
    const index = this.#services.length;
    const clusterIPs = [`10.96.${2 + Math.floor(index / 200)}.${1 + (index % 200)}`];
    const ports = index % 3 === 0 ? [HTTP, METRICS] : [HTTP];
    this.service({ namespace, name, clusterIPs, ports }, 1 + (index % 4));
  }

  /** A Service whose pods have no names of their own. */
  service(service: ServiceSpec, replicas: number): void {
    this.#add(service, replicas, false);
  }

  statefulSet(service: ServiceSpec, replicas: number): void {
    this.#add(service, replicas, true);
  }

  externalName(namespace: string, name: string, externalName: string): void {
    this.#services.push({ namespace, name, clusterIPs: [], ports: [], externalName });
  }

  build(emptyNamespaces: readonly string[]): SampleCluster {
    const namespaces = new Set([...this.#services.map(({ namespace }) => namespace), ...emptyNamespaces]);
    return { namespaces: [...namespaces].sort(), services: this.#services, slices: this.#slices };
  }

  #add(service: ServiceSpec, replicas: number, hasHostname: boolean): void {
    const pods = Array.from({ length: replicas }, (_, ordinal) => ({ ordinal, number: (this.#pods += 1) }));
    const families = service.clusterIPs.length > 1 ? (["IPv4", "IPv6"] as const) : (["IPv4"] as const);
    this.#services.push(service);
    for (const addressType of families) {
      const endpoints = pods.map(({ ordinal, number }): EndpointSpec => {
        const podName = `${service.name}-${hasHostname ? ordinal : podSuffix(number)}`;
        const address = addressType === "IPv4" ? podAddress(number) : `fd00:10:244::${number.toString(16)}`;
        return { address, podName, hasHostname, ready: true };
      });
      this.#slices.push({ service, addressType, endpoints });
    }
  }
}

/** Pods spread over eight nodes, each with a /24 of its own. */
export function podAddress(number: number): string {
  return `10.244.${number % 8}.${(2 + Math.floor(number / 8)) % 254}`;
}

/** Five characters, like those that a ReplicaSet appends. */
export function podSuffix(number: number): string {
  return ((number * 7_919_393) % 36 ** 5).toString(36).padStart(5, "x");
}
