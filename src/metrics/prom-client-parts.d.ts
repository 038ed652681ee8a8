/**
 * The parts of prom-client that are used, by path: its index also loads the push gateway and the cluster aggregator, which
 * load `http`, `https`, `zlib` and more (measured: 13 MiB of resident memory; the parts 0.6 MiB).
 */
declare module "prom-client/lib/registry.js" {
  import { Registry } from "prom-client";
  export = Registry;
}

declare module "prom-client/lib/counter.js" {
  import { Counter } from "prom-client";
  export = Counter;
}

declare module "prom-client/lib/gauge.js" {
  import { Gauge } from "prom-client";
  export = Gauge;
}
