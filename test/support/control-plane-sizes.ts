import type { ClusterSize } from "./api-writer-cluster.ts";

/** Every shape of Service and endpoint, in numbers that a crash test can ask for again and again. */
export const SMALL_CLUSTER: ClusterSize = {
  namespaces: 5,
  services: 200,
  headless: 20,
  endpointsPerHeadless: 4,
  withServiceSlices: true,
};

export const OUTAGE_CLUSTER: ClusterSize = {
  ...SMALL_CLUSTER,
  namespaces: 50,
  services: 2000,
  headless: 200,
};

/** What the goals of memory, start-up and speed are measured with. */
export const LARGE_CLUSTER: ClusterSize = {
  namespaces: 50,
  services: 10_000,
  headless: 0,
  endpointsPerHeadless: 0,
  withServiceSlices: false,
};
