import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readDocument, tableAfter } from "../arch/markdown.ts";
import { ROOT } from "../arch/source-imports.ts";
import { METRICS } from "../../src/metrics/catalog.ts";
import { CHART, openHelm, type Helm } from "./helm.ts";

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: {
    readonly summary: string;
    readonly description: string;
    readonly runbook_url: string;
  };
}

interface Dashboard {
  readonly uid: string;
  readonly panels: readonly {
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

const RUNBOOKS = "https://github.com/holdfast-dns/holdfast/blob/main/";
const NAMES = new Set(METRICS.map(({ name }) => name));
/** Of Prometheus, kube-state-metrics and the kubelet. */
const FOREIGN = new Set([
  "up",
  "kube_daemonset_status_desired_number_scheduled",
  "kube_daemonset_status_number_ready",
  "container_memory_working_set_bytes",
  "kube_pod_container_resource_limits",
]);

test("monitoring", async (t) => {
  const opened = await openHelm(t);
  if (opened === undefined) return;
  const helm: Helm = opened;
  const alerts = await renderAlerts(helm);

  for (const alert of alerts) {
    await t.test(`${alert.alert} asks for metrics that there are, and says what to do`, () => {
      assertKnownMetrics(alert.expr);
      const { summary, description, runbook_url: url } = alert.annotations;
      assert.ok(["info", "warning", "critical"].includes(alert.labels.severity));
      assert.match(alert.for, /^\d+m$/);
      assert.match(summary, /\.$/);
      assert.match(description, /\.$/);
      assert.ok(url.startsWith(RUNBOOKS), url);
      assert.ok(existsSync(join(ROOT, url.slice(RUNBOOKS.length))), url);
    });
  }

  await t.test("README.md of the chart has every alert", () => {
    const rows = tableAfter(readDocument("charts/holdfast/README.md"), "## Monitoring");
    assert.deepEqual(
      rows.map(([name]) => name),
      alerts.map(({ alert }) => `\`${alert}\``),
    );
  });

  await t.test("alerts select by the job that both monitors give", async () => {
    const own = alerts.filter(({ expr }) => /\bholdfast_|\bup\b/.test(expr));
    for (const { expr } of own) assert.match(expr, /\{job="holdfast",namespace="holdfast"\}/);
    for (const kind of ["podMonitor", "serviceMonitor"]) {
      const template = `templates/monitoring/${kind.toLowerCase()}.yaml`;
      const text = await helm.template({ set: [`metrics.${kind}.enabled=true`], templates: [template] });
      assert.match(text, /jobLabel: app\.kubernetes\.io\/name\n/);
    }
  });

  await t.test("an alert can be left out, and others added", async () => {
    const added = { alert: "Mine", expr: "vector(1)" };
    const some = await renderAlerts(helm, [
      'metrics.prometheusRule.disabled=["HoldfastStale"]',
      `metrics.prometheusRule.additionalRules=[${JSON.stringify(added)}]`,
    ]);
    const names = alerts.map(({ alert }) => alert).filter((name) => name !== "HoldfastStale");
    assert.deepEqual(
      some.map(({ alert }) => alert),
      [...names, "Mine"],
    );
  });

  await t.test("the dashboard asks for metrics that there are", () => {
    const text = readFileSync(join(CHART, "files/dashboards/holdfast.json"), "utf8");
    const { uid, panels } = JSON.parse(text) as Dashboard;
    assert.equal(uid, "holdfast");
    assert.ok(panels.length > 0);
    for (const { title, targets } of panels) {
      assert.ok(targets.length > 0, title);
      for (const { expr } of targets) assertKnownMetrics(expr);
    }
  });
});

async function renderAlerts(helm: Helm, set: readonly string[] = []): Promise<Alert[]> {
  const objects = await helm.render({
    set: ["metrics.prometheusRule.enabled=true", ...set],
    templates: ["templates/monitoring/prometheusrule.yaml"],
  });
  const { groups } = objects[0]["spec"] as { groups: { rules: Alert[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

/** Names in front of a selector: `holdfast_ready{...}`. */
function assertKnownMetrics(expr: string): void {
  const names = Array.from(expr.matchAll(/\b([a-z0-9_:]+)\{/g), (match) => match[1]);
  assert.ok(names.length > 0, expr);
  for (const name of names) assert.ok(NAMES.has(name) || FOREIGN.has(name), `${name} in ${expr}`);
}
