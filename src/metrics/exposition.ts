import Counter from "prom-client/lib/counter.js";
import Gauge from "prom-client/lib/gauge.js";
import Registry from "prom-client/lib/registry.js";
import type { AdminView } from "../admin/admin-view.ts";
import type { Metric } from "./catalog.ts";
import { METRICS } from "./catalog.ts";

/** The metrics as Prometheus reads them. */
export interface Exposition {
  readonly contentType: string;
  render(): Promise<string>;
}

/** Values are read from the view at each scrape; between scrapes nothing is counted here, and nothing runs. */
export function createExposition(view: AdminView): Exposition {
  const registry = new Registry();
  for (const metric of METRICS) register(metric, view, registry);
  return { contentType: registry.contentType, render: () => registry.metrics() };
}

function register({ name, help, type, labels, read }: Metric, view: AdminView, registry: Registry): void {
  const labelled = (texts: readonly string[]) =>
    Object.fromEntries(labels.map((label, at) => [label, texts[at]]));
  const common = { name, help, labelNames: labels, registers: [registry] };
  if (type === "counter") {
    const counter: Counter = new Counter({
      ...common,
      collect() {
        // The cells of the agent are the counter; what this object adds up is written anew each time.
        clear(counter, labels);
        for (const [value, ...texts] of read(view)) counter.inc(labelled(texts), value);
      },
    });
  } else {
    const gauge: Gauge = new Gauge({
      ...common,
      collect() {
        clear(gauge, labels);
        for (const [value, ...texts] of read(view)) gauge.set(labelled(texts), value);
      },
    });
  }
}

/** `reset` alone leaves a metric without labels at 0, which would be said of a value that nobody knows. */
function clear(metric: Counter | Gauge, labels: readonly string[]): void {
  metric.reset();
  if (labels.length === 0) metric.remove();
}
