import assert from "node:assert/strict";
import { test } from "node:test";
import {
  identify,
  projectEndpointSlice,
  projectNamespace,
  projectService,
} from "../../../../src/sources/kubernetes/projection.ts";
import { serviceObject, sliceObject } from "./objects.ts";

const LABEL_FORM = "a DNS label: at most 63 letters, digits and hyphens";

function service(spec: unknown, metadata: object = {}) {
  return projectService({ metadata: { name: "web", namespace: "shop", ...metadata }, spec });
}

function slice(fields: object, labels: unknown = { "kubernetes.io/service-name": "db" }) {
  const metadata = { name: "db-x7k2p", namespace: "shop", labels };
  return projectEndpointSlice({ metadata, addressType: "IPv4", endpoints: [], ports: [], ...fields });
}

function endpointsOf(fields: object) {
  const projection = slice(fields);
  assert.equal(projection.outcome, "record", JSON.stringify(projection));
  return projection.outcome === "record" ? projection.record.endpoints : [];
}

const SERVICES = [
  {
    name: "a ClusterIP Service",
    spec: serviceObject("web", 1).spec,
    want: {
      type: "ClusterIP",
      clusterIPs: ["10.96.0.10"],
      ports: [{ name: "http", protocol: "TCP", port: 80 }],
    },
  },
  {
    name: "NodePort is ClusterIP for DNS",
    spec: { type: "NodePort", clusterIP: "10.96.0.1" },
    want: { type: "ClusterIP", clusterIPs: ["10.96.0.1"] },
  },
  {
    name: "LoadBalancer is ClusterIP for DNS",
    spec: { type: "LoadBalancer", clusterIPs: ["10.96.0.1"] },
    want: { clusterIPs: ["10.96.0.1"] },
  },
  {
    name: "the default type is ClusterIP",
    spec: { clusterIP: "10.96.0.1" },
    want: { type: "ClusterIP", clusterIPs: ["10.96.0.1"] },
  },
  {
    name: "clusterIPs win over clusterIP, in their order",
    spec: { clusterIP: "10.96.0.1", clusterIPs: ["FD00:0:0::0010", "10.96.0.2"] },
    want: { clusterIPs: ["fd00::10", "10.96.0.2"] },
  },
  {
    name: "an IPv4-mapped address stays IPv6",
    spec: { clusterIP: "::FFFF:10.1.2.3" },
    want: { clusterIPs: ["::ffff:10.1.2.3"] },
  },
  {
    name: "octets with leading zeros are decimals",
    spec: { clusterIP: "010.096.000.001" },
    want: { clusterIPs: ["10.96.0.1"] },
  },
  {
    name: "no address yet",
    spec: { type: "ClusterIP", clusterIP: "" },
    want: { type: "ClusterIP", clusterIPs: [] },
  },
  {
    name: "no address yet, plural",
    spec: { clusterIP: "", clusterIPs: [""] },
    want: { type: "ClusterIP", clusterIPs: [] },
  },
  {
    name: "clusterIPs null",
    spec: { clusterIP: "10.96.0.1", clusterIPs: null, ports: null },
    want: { clusterIPs: ["10.96.0.1"], ports: [] },
  },
  { name: "no spec", spec: undefined, want: { type: "ClusterIP", clusterIPs: [], ports: [] } },
  {
    name: "headless",
    spec: { clusterIP: "None", clusterIPs: ["None"] },
    want: { type: "Headless", clusterIPs: [] },
  },
  { name: "headless, singular", spec: { clusterIP: "None" }, want: { type: "Headless", clusterIPs: [] } },
  {
    name: "ExternalName, as written but without the final dot",
    spec: { type: "ExternalName", externalName: "DB.Example_1.com.", clusterIP: "" },
    want: { type: "ExternalName", externalName: "DB.Example_1.com", clusterIPs: [] },
  },
  {
    name: "protocols, unnamed ports and capitals",
    spec: {
      ports: [
        { port: 53, protocol: "UDP", name: "DNS" },
        { port: 1 },
        { port: 2, protocol: "SCTP", name: null },
      ],
    },
    want: {
      ports: [
        { name: "dns", protocol: "UDP", port: 53 },
        { name: "", protocol: "TCP", port: 1 },
        { name: "", protocol: "SCTP", port: 2 },
      ],
    },
  },
] as const;

for (const { name, spec, want } of SERVICES) {
  test(`projectService(): ${name}`, () => {
    const projection = service(spec);
    assert.equal(projection.outcome, "record");
    assert.deepEqual(projection.outcome === "record" && projection.record, {
      kind: "Service",
      namespace: "shop",
      name: "web",
      type: "ClusterIP",
      clusterIPs: [],
      externalName: "",
      ports: [],
      ...want,
    });
    assert.deepEqual(projection.outcome === "record" && projection.problems, []);
  });
}

test("projectService() writes names in lower case", () => {
  const projection = service({}, { name: "Web", namespace: "SHOP" });
  assert.ok(projection.outcome === "record");
  assert.deepEqual([projection.record.namespace, projection.record.name], ["shop", "web"]);
});

const REJECTED_SERVICES = [
  {
    name: "a type",
    object: { spec: { type: "Teapot" } },
    reason: 'spec.type is "Teapot"; accepted is ClusterIP, NodePort, LoadBalancer, ExternalName',
  },
  {
    name: "a type that is no string",
    object: { spec: { type: 7 } },
    reason: "spec.type is 7; accepted is ClusterIP, NodePort, LoadBalancer, ExternalName",
  },
  { name: "a spec", object: { spec: [] }, reason: "spec is a list; accepted is an object" },
  {
    name: "an address",
    object: { spec: { clusterIP: "10.96.0.256" } },
    reason: 'spec.clusterIP is "10.96.0.256"; accepted is an IP address or None',
  },
  {
    name: "one address of two",
    object: { spec: { clusterIPs: ["10.96.0.1", 7] } },
    reason: "spec.clusterIPs is 7; accepted is an IP address or None",
  },
  {
    name: "an address with a zone",
    object: { spec: { clusterIP: "fe80::1%eth0" } },
    reason: 'spec.clusterIP is "fe80::1%eth0"; accepted is an IP address or None',
  },
  {
    name: "addresses",
    object: { spec: { clusterIPs: "10.96.0.1" } },
    reason: 'spec.clusterIPs is "10.96.0.1"; accepted is a list',
  },
  {
    name: "no external name",
    object: { spec: { type: "ExternalName" } },
    reason: "spec.externalName is missing; accepted is a DNS name of at most 253 characters",
  },
  {
    name: "an external name",
    object: { spec: { type: "ExternalName", externalName: "a..b" } },
    reason: 'spec.externalName is "a..b"; accepted is a DNS name of at most 253 characters',
  },
  {
    name: "a name that is no label",
    object: { metadata: { namespace: "shop", name: "a.b" } },
    where: "shop/a.b",
    reason: `metadata.name is "a.b"; accepted is ${LABEL_FORM}`,
  },
  {
    name: "a name that is too long",
    object: { metadata: { namespace: "shop", name: "x".repeat(64) } },
    where: `shop/${"x".repeat(64)}`,
    reason: `metadata.name is "${"x".repeat(60)}"... (64 characters); accepted is ${LABEL_FORM}`,
  },
  {
    name: "no name",
    object: { metadata: { namespace: "shop" } },
    where: "shop/(no name)",
    reason: `metadata.name is missing; accepted is ${LABEL_FORM}`,
  },
  {
    name: "no namespace",
    object: { metadata: { name: "web" } },
    where: "web",
    reason: `metadata.namespace is missing; accepted is ${LABEL_FORM}`,
  },
  {
    name: "no metadata",
    object: { metadata: null },
    where: "(no name)",
    reason: `metadata.namespace is missing; accepted is ${LABEL_FORM}`,
  },
] as const;

for (const row of REJECTED_SERVICES) {
  test(`projectService() rejects ${row.name}, with field, value and what is accepted`, () => {
    const projection = projectService({ metadata: { name: "web", namespace: "shop" }, ...row.object });
    const where = "where" in row ? row.where : "shop/web";
    assert.deepEqual(projection, { outcome: "rejected", where, reason: row.reason });
  });
}

test("projectService() leaves out a port that makes no sense, and only that", () => {
  const ports = [
    { port: 80, name: "ok" },
    { port: 0 },
    { port: 65_536 },
    { port: "80" },
    { port: 80, protocol: "tcp" },
    { port: 80, name: "no_underscore" },
    null,
  ];
  const projection = service({ clusterIP: "None", ports });
  assert.ok(projection.outcome === "record");
  assert.deepEqual(projection.record.ports, [{ name: "ok", protocol: "TCP", port: 80 }]);
  assert.deepEqual(
    projection.problems.map((problem) => problem.reason),
    [
      "spec.ports[1].port is 0; accepted is an integer from 1 to 65535",
      "spec.ports[2].port is 65536; accepted is an integer from 1 to 65535",
      'spec.ports[3].port is "80"; accepted is an integer from 1 to 65535',
      'spec.ports[4].protocol is "tcp"; accepted is TCP, UDP or SCTP',
      `spec.ports[5].name is "no_underscore"; accepted is ${LABEL_FORM}`,
      "spec.ports[6] is null; accepted is an object",
    ],
  );
});

test("projectEndpointSlice() takes what DNS needs of a slice", () => {
  const projection = projectEndpointSlice(sliceObject("db-x7k2p", 1, ["10.0.0.1", "10.0.0.2"]));
  assert.deepEqual(projection, {
    outcome: "record",
    problems: [],
    record: {
      kind: "EndpointSlice",
      namespace: "shop",
      name: "db-x7k2p",
      serviceName: "db",
      addressType: "IPv4",
      ports: [{ name: "pg", protocol: "TCP", port: 5432 }],
      endpoints: [
        { addresses: ["10.0.0.1"], hostname: "", ready: true },
        { addresses: ["10.0.0.2"], hostname: "", ready: true },
      ],
    },
  });
});

test("projectEndpointSlice() takes an unknown readiness as ready", () => {
  const conditions = [
    undefined,
    null,
    {},
    { ready: null },
    { ready: true },
    { ready: false },
    { ready: false, serving: true },
  ];
  const endpoints = conditions.map((value, index) => ({ addresses: [`10.0.0.${index}`], conditions: value }));
  assert.deepEqual(
    endpointsOf({ endpoints }).map((endpoint) => endpoint.ready),
    [true, true, true, true, true, false, false],
  );
});

test("projectEndpointSlice() takes null, absent and empty lists as the same", () => {
  for (const nothing of [null, undefined, []]) {
    assert.deepEqual(endpointsOf({ endpoints: nothing, ports: nothing }), []);
    assert.deepEqual(
      endpointsOf({ endpoints: [{ addresses: nothing }, { addresses: ["10.0.0.1"] }] }).length,
      1,
    );
  }
});

test("projectEndpointSlice() takes hostnames in lower case and ignores those that are no label", () => {
  const hostnames = ["DB-0", "", null, "not.a.label", 7];
  const projection = slice({
    endpoints: hostnames.map((hostname, index) => ({ addresses: [`10.0.0.${index}`], hostname })),
  });
  assert.ok(projection.outcome === "record");
  assert.deepEqual(
    projection.record.endpoints.map((endpoint) => endpoint.hostname),
    ["db-0", "", "", "", ""],
  );
  assert.deepEqual(projection.problems, [
    {
      field: "endpoints[3].hostname",
      reason: `endpoints[3].hostname is "not.a.label"; accepted is ${LABEL_FORM}; ignored`,
    },
    {
      field: "endpoints[4].hostname",
      reason: `endpoints[4].hostname is 7; accepted is ${LABEL_FORM}; ignored`,
    },
  ]);
});

test("projectEndpointSlice() takes several addresses of an endpoint and drops those of the other family", () => {
  const ipv6 = endpointsOf({
    addressType: "IPv6",
    endpoints: [{ addresses: ["FD00::1", "10.0.0.1", "::ffff:10.0.0.1"] }],
  });
  assert.deepEqual(ipv6[0].addresses, ["fd00::1", "::ffff:10.0.0.1"]);
  const ipv4 = endpointsOf({ endpoints: [{ addresses: ["10.0.0.1", "fd00::1", "10.0.0.2"] }] });
  assert.deepEqual(ipv4[0].addresses, ["10.0.0.1", "10.0.0.2"]);
});

test("projectEndpointSlice() rejects a slice of which nothing is usable: an empty one would be a lie", () => {
  assert.deepEqual(slice({ endpoints: [{ addresses: ["x"] }, 7] }), {
    outcome: "rejected",
    where: "shop/db-x7k2p",
    reason: 'endpoints[0].addresses[0] is "x"; accepted is an IPv4 address',
  });
});

test("projectEndpointSlice() cuts a slice that is too large, and says so", () => {
  const endpoints = Array.from({ length: 1200 }, (_, index) => ({
    addresses: [`10.0.${index >> 8}.${index & 255}`],
  }));
  const projection = slice({ endpoints });
  assert.ok(projection.outcome === "record");
  assert.equal(projection.record.endpoints.length, 1000);
  assert.deepEqual(projection.problems, [
    { field: "endpoints", reason: "endpoints has 1200 entries; the first 1000 are used" },
  ]);
});

test("projectEndpointSlice() tells at most ten problems of a slice, and how many more there are", () => {
  const endpoints = Array.from({ length: 100 }, (_, index) => ({
    addresses: [index === 0 ? "10.0.0.1" : "x"],
  }));
  const projection = slice({ endpoints });
  assert.ok(projection.outcome === "record");
  assert.equal(projection.problems.length, 11);
  assert.equal(projection.problems[10].reason, "endpoints has 89 more problems like these");
});

test("projectEndpointSlice() takes port numbers that are left out as 0", () => {
  const projection = slice({ ports: [{ name: "", port: null, protocol: null }, {}] });
  assert.ok(projection.outcome === "record");
  assert.deepEqual(projection.record.ports, [
    { name: "", protocol: "TCP", port: 0 },
    { name: "", protocol: "TCP", port: 0 },
  ]);
});

test("projectEndpointSlice() skips what is not for DNS without calling it an error", () => {
  const identity = { outcome: "skipped", namespace: "shop", name: "db-x7k2p" };
  for (const labels of [null, {}, [], { "kubernetes.io/service-name": "" }]) {
    assert.deepEqual(slice({}, labels), { ...identity, reason: "no label kubernetes.io/service-name" });
  }
  assert.deepEqual(slice({ addressType: "FQDN" }), {
    ...identity,
    reason: "addressType FQDN is not for DNS",
  });
});

test("projectEndpointSlice() rejects other address types and Services whose name is no label", () => {
  const where = "shop/db-x7k2p";
  assert.deepEqual(slice({ addressType: "IPX" }), {
    outcome: "rejected",
    where,
    reason: 'addressType is "IPX"; accepted is IPv4, IPv6 or FQDN',
  });
  assert.deepEqual(slice({}, { "kubernetes.io/service-name": "a.b" }), {
    outcome: "rejected",
    where,
    reason: `label kubernetes.io/service-name is "a.b"; accepted is ${LABEL_FORM}`,
  });
});

test("projectEndpointSlice() takes names with dots: they name the slice, not a host", () => {
  const projection = projectEndpointSlice({ ...sliceObject("db.v2-x", 1) });
  assert.equal(projection.outcome, "record");
});

test("projectNamespace() needs a name and nothing else", () => {
  assert.deepEqual(projectNamespace({ metadata: { name: "Shop" } }), {
    outcome: "record",
    record: { kind: "Namespace", name: "shop" },
    problems: [],
  });
  assert.deepEqual(projectNamespace(null), {
    outcome: "rejected",
    where: "(no name)",
    reason: "the object is null; accepted is an object",
  });
});

test("identify() knows an object by its name alone, however broken the rest is", () => {
  assert.deepEqual(identify({ ...serviceObject("Web", 1), spec: 7 }), { namespace: "shop", name: "web" });
  assert.deepEqual(identify({ metadata: { name: "shop" } }), { namespace: "", name: "shop" });
  for (const object of [
    null,
    7,
    [],
    {},
    { metadata: [] },
    { metadata: { name: "a_b" } },
    { metadata: { name: "a", namespace: 7 } },
  ]) {
    assert.equal(identify(object), undefined);
  }
});
