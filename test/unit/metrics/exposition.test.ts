import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { WrongCluster } from "../../../src/guard/wrong-cluster.ts";
import { ZeroGuard } from "../../../src/guard/zero-guard.ts";
import { METRICS } from "../../../src/metrics/catalog.ts";
import { createExposition } from "../../../src/metrics/exposition.ts";
import { sampleView } from "../admin/sample-view.ts";

async function samples(view = sampleView()): Promise<readonly string[]> {
  const text = await createExposition(view).render();
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

suite("METRICS", () => {
  for (const { name, type, help, labels } of METRICS) {
    test(`${name} is named as Prometheus wants it`, () => {
      assert.match(name, /^(?:holdfast|process)_[a-z0-9_]+$/);
      assert.equal(
        name.endsWith("_total"),
        type === "counter",
        "counters end in _total, and nothing else does",
      );
      assert.doesNotMatch(
        name,
        /_(?:ms|milliseconds|minutes|kb|kib|mb|mib|percent)(?:_|$)/,
        "base units only",
      );
      // Whatever is a time or a size ends in its unit (before `_total`).
      if (/age|delay|duration|_max|_p99|time|cpu/.test(name)) assert.match(name, /_seconds(?:_total)?$/);
      if (/size|memory/.test(name)) assert.match(name, /_bytes(?:_total)?$/);
      assert.match(help, /^\S.*\.$/, "a sentence");
      for (const label of labels) assert.match(label, /^[a-z_]+$/);
    });
  }

  test("has each name once", () => {
    assert.equal(new Set(METRICS.map(({ name }) => name)).size, METRICS.length);
  });

  test("has a text for every label in each sample, and finite values", () => {
    for (const { name, labels, read } of METRICS) {
      for (const [value, ...texts] of read(sampleView())) {
        assert.equal(texts.length, labels.length, name);
        assert.ok(Number.isFinite(value), name);
      }
    }
  });

  test("stays small, however large the cluster and whatever happens", async () => {
    const everything = Float64Array.from({ length: 256 }, () => 1e15);
    const latest = Array.from({ length: 50 }, (_, at) => ({ where: `ns/${at}`, reason: "bad" }));
    const view = sampleView({
      traffic: () => ({
        ...sampleView().traffic(),
        extendedErrors: everything.subarray(0, 64),
        responsesByRcode: everything.subarray(0, 24),
      }),
      held: () =>
        Array.from({ length: 50 }, (_, at) => ({
          policy: "zero",
          feed: `f${at}`,
          reason: `r${at}`,
          ageSeconds: at,
        })),
      rejections: () => ({ byKind: new Map([["Service", 50]]), latest }),
    });
    assert.ok((await samples(view)).length < 200);
  });
});

suite("createExposition()", () => {
  test("gives every metric with its help and type", async () => {
    const text = await createExposition(sampleView()).render();
    for (const { name, help, type } of METRICS)
      assert.ok(text.includes(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`), name);
  });

  test("reads the view anew at each scrape", async () => {
    let udpRequests = 1;
    const view = sampleView({ traffic: () => ({ ...sampleView().traffic(), udpRequests }) });
    const exposition = createExposition(view);
    const line = async () =>
      /^holdfast_dns_requests_total\{transport="udp"\} (\d+)$/m.exec(await exposition.render())?.[1];
    assert.equal(await line(), "1");
    udpRequests = 5;
    assert.equal(await line(), "5");
    assert.equal(await line(), "5");
  });

  test("has a zero for each policy of the guard while nothing is held", async () => {
    for (const { name } of [new ZeroGuard(), new WrongCluster("")])
      assert.ok((await samples()).includes(`holdfast_guard_held_lists{policy="${name}"} 0`), name);
    const held = [{ policy: "zero-guard", feed: "services", reason: "", ageSeconds: 1 }];
    const lines = (await samples(sampleView({ held: () => held }))).filter((line) => line.includes("held"));
    assert.deepEqual(lines, [
      'holdfast_guard_held_lists{policy="zero-guard"} 1',
      'holdfast_guard_held_lists{policy="wrong-cluster"} 0',
    ]);
  });

  test("forgets what is no longer there", async () => {
    let held = [{ policy: "zero", feed: "services", reason: "", ageSeconds: 1 }];
    const exposition = createExposition(sampleView({ held: () => held }));
    assert.match(await exposition.render(), /^holdfast_guard_held_lists\{policy="zero"\} 1$/m);
    held = [];
    assert.doesNotMatch(await exposition.render(), /^holdfast_guard_held_lists\{policy="zero"\}/m);
  });

  test("shows the state of a kind as one of all, and names codes", async () => {
    const lines = await samples();
    for (const line of [
      'holdfast_kind_state{kind="Service",state="live"} 1',
      'holdfast_kind_state{kind="Service",state="stale"} 0',
      'holdfast_kind_age_seconds{kind="Service"} 0',
      'holdfast_dns_responses_total{rcode="NOERROR"} 90',
      'holdfast_dns_responses_total{rcode="NXDOMAIN"} 0',
      'holdfast_dns_responses_total{rcode="BADCOOKIE"} 1',
      'holdfast_dns_extended_errors_total{error="Stale Answer"} 10',
      'holdfast_dns_listeners{transport="udp",state="open"} 1',
      'holdfast_dns_listeners{transport="udp",state="closed"} 0',
      'holdfast_dns_send_failures_total{reason="error"} 4',
      'holdfast_dns_send_failures_total{reason="queue-full"} 5',
      "holdfast_dns_failures_total 2",
      "holdfast_dns_socket_errors_total 3",
      'holdfast_dns_tcp_connections_closed_total{reason="evicted"} 7',
      'holdfast_dns_tcp_connections_closed_total{reason="timed-out"} 8',
      'holdfast_dns_tcp_connections_closed_total{reason="malformed"} 9',
      "holdfast_dns_tcp_accept_errors_total 6",
      'holdfast_ready{condition="dns-sockets"} 1',
      'holdfast_api_requests_total{outcome="ok"} 12',
      "holdfast_snapshot_last_write_success 1",
      "process_start_time_seconds 1767355200",
      `holdfast_build_info{version="1.2.3",node_version="${process.version}"} 1`,
    ])
      assert.ok(lines.includes(line), line);
  });

  test("leaves out what is not known", async () => {
    const lines = await samples(
      sampleView({
        api: () => undefined,
        snapshot: () => ({ ageSeconds: undefined, sizeBytes: 0, isLastWriteOk: undefined, problems: [] }),
      }),
    );
    const text = lines.join("\n");
    assert.doesNotMatch(text, /^holdfast_(?:api_|snapshot_age|snapshot_last_write)/m);
  });
});
