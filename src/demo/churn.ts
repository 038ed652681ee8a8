import type { Clock, Timer } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { ObjectStore } from "../relay/object-store.ts";
import type { SampleCluster } from "./sample-cluster.ts";
import { podAddress, podSuffix } from "./sample-cluster.ts";
import type { EndpointSpec, ServiceSpec, SliceSpec } from "./sample-objects.ts";
import { isHeadless, serviceObject, sliceObject } from "./sample-objects.ts";

const ROLL_INTERVAL_MS = 700;
const SALE_INTERVAL_MS = 4_000;
/** Above the pods of the sample cluster, so that a new pod never takes the address of another. */
const FIRST_NEW_POD = 600;
const LAST_NEW_POD = 1_900;

/** Comes and goes every few seconds. */
export const CHANGING_SERVICE: ServiceSpec = {
  namespace: "shop",
  name: "flash-sale",
  clusterIPs: ["10.96.200.1"],
  ports: [{ name: "http", protocol: "TCP", port: 80 }],
};

/** The life of a cluster: pods are replaced one by one, and a Service comes and goes. Stable names stay as they are. */
export class Churn {
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #slices: SliceSpec[];
  #nextPod = FIRST_NEW_POD;
  #timers: Timer[] = [];

  constructor(store: ObjectStore, cluster: SampleCluster, io: { clock: Clock; random: Random }) {
    this.#store = store;
    this.#clock = io.clock;
    this.#random = io.random;
    this.#slices = cluster.slices.filter(isReplaceable);
  }

  start(): void {
    this.#repeat(0, ROLL_INTERVAL_MS, () => this.#replacePod(this.#pick(this.#slices)));
    // Headless Services without a StatefulSet: the only pods here whose replacement DNS shows.
    const visible = this.#slices.filter(({ service }) => isHeadless(service));
    this.#repeat(1, SALE_INTERVAL_MS, () => {
      this.#replacePod(this.#pick(visible));
      this.#toggleService();
    });
  }

  stop(): void {
    for (const timer of this.#timers) timer.cancel();
  }

  #repeat(slot: number, intervalMs: number, run: () => void): void {
    this.#timers[slot] = this.#clock.setTimer(intervalMs * (0.5 + this.#random()), () => {
      run();
      this.#repeat(slot, intervalMs, run);
    });
  }

  #replacePod(slice: SliceSpec): void {
    const index = this.#slices.findIndex(({ service }) => service === slice.service);
    const current = this.#slices[index];
    const replaced = this.#pick(current.endpoints);
    const endpoints = current.endpoints.map((endpoint) =>
      endpoint === replaced ? this.#newPod(slice.service) : endpoint,
    );
    this.#slices[index] = { ...current, endpoints };
    this.#store.put(sliceObject(this.#slices[index]));
  }

  #newPod(service: ServiceSpec): EndpointSpec {
    const number = this.#nextPod;
    this.#nextPod = number === LAST_NEW_POD ? FIRST_NEW_POD : number + 1;
    const podName = `${service.name}-${podSuffix(number)}`;
    return { address: podAddress(number), podName, hasHostname: false, ready: true };
  }

  #toggleService(): void {
    const { namespace, name } = CHANGING_SERVICE;
    if (!this.#store.delete("Service", namespace, name)) this.#store.put(serviceObject(CHANGING_SERVICE));
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#random() * items.length)];
  }
}

function isReplaceable({ service, addressType, endpoints }: SliceSpec): boolean {
  const isSystem = service.namespace === "kube-system" || service.namespace === "default";
  // Both slices of a dual-stack Service would have to change together.
  const isSingleStack = service.clusterIPs.length < 2 && addressType === "IPv4";
  return !isSystem && isSingleStack && endpoints.every(({ hasHostname }) => !hasHostname);
}
