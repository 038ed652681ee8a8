import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parse } from "yaml";
import { renderNode } from "../../../src/render/render-node.ts";

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly object[];
  readonly securityContext: { readonly capabilities: object; readonly [field: string]: unknown };
  readonly resources: object;
  readonly readinessProbe?: object;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

interface StaticPod {
  readonly metadata: {
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly initContainers?: readonly Container[];
    readonly containers: readonly Container[];
    readonly volumes: readonly { readonly name: string; readonly [kind: string]: unknown }[];
    readonly [field: string]: unknown;
  };
}

function podOf(...layers: readonly string[]): StaticPod {
  const files = layers.map((text, index) => ({ path: `${index}.yaml`, text }));
  const rendered = renderNode("static-pod", files, { version: "1.2.3", only: undefined });
  assert.ok("value" in rendered, JSON.stringify(rendered));
  return parse(rendered.value) as StaticPod;
}

suite("the static pod", () => {
  test("is on the host network, first in line, and refers to nothing that only the API server has", () => {
    const { metadata, spec } = podOf();
    const { initContainers: _, containers: __, volumes, ...rest } = spec;
    assert.equal(metadata.namespace, "kube-system");
    assert.deepEqual(rest, {
      hostNetwork: true,
      dnsPolicy: "Default",
      enableServiceLinks: false,
      automountServiceAccountToken: false,
      priorityClassName: "system-node-critical",
      priority: 2_000_001_000,
      terminationGracePeriodSeconds: 30,
      securityContext: { seccompProfile: { type: "RuntimeDefault" } },
      tolerations: [{ operator: "Exists" }],
    });
    assert.deepEqual(
      volumes.map(({ name, ...source }) => [name, Object.keys(source)]),
      [
        ["data", ["hostPath"]],
        ["heartbeat", ["emptyDir"]],
        ["kubeconfig", ["hostPath"]],
      ],
    );
  });

  test("gives the node its addresses in a step of its own, and the agent no right to", () => {
    const [setup] = podOf().spec.initContainers ?? [];
    const [agent] = podOf().spec.containers;
    assert.deepEqual(setup.args, [
      "add",
      "--interface=holdfast0",
      "--ipv4=169.254.53.53",
      "--ipv6=fd00:53::53",
      "--own-data-dir=/var/lib/holdfast",
    ]);
    assert.deepEqual(setup.securityContext.capabilities, { drop: ["ALL"], add: ["NET_ADMIN", "CHOWN"] });
    assert.deepEqual(agent.securityContext.capabilities, { drop: ["ALL"], add: ["NET_BIND_SERVICE"] });
    assert.deepEqual([setup.image, agent.image], Array(2).fill("ghcr.io/holdfast-dns/holdfast:1.2.3"));
    assert.equal(podOf("linkLocal: {setup: none}").spec.initContainers, undefined);
  });

  test("has what the values say", () => {
    const { metadata, spec } = podOf(
      `namespaceOverride: dns
clusterDomain: corp.example
linkLocal: {ipv6: "", interface: lo, liftIcmpLimit: true}
endpoints: all
answers: {ttl: 30}
logging: {level: debug}
metrics: {port: 9999, scrapeAnnotations: true}
primaryIPFamily: IPv6
global: {imageRegistry: registry.example, another: chart}
image: {tag: 2.0.0}
resources: {limits: {memory: null}}
securityContext: {capabilities: {add: [NET_BIND_SERVICE, SYS_NICE]}}
podLabels: {team: dns}
extraArgs: [--zone=10.in-addr.arpa]
extraEnv: [{name: TZ, value: UTC}]
staticPod: {kubeconfig: /srv/kubeconfig}
`,
      "answers: {pods: disabled}\nimage: {tag: 2.0.1}\n",
    );
    const [agent] = spec.containers;
    assert.deepEqual(agent.args, [
      "agent",
      "--listen=169.254.53.53:53",
      "--admin=127.0.0.1:9999",
      "--admin=[$(HOST_IP)]:9999",
      "--heartbeat-dir=/run/holdfast",
      "--data-dir=/var/lib/holdfast",
      "--kubeconfig=/etc/holdfast/kubeconfig",
      "--zone=corp.example",
      "--endpoints=all",
      "--ttl=30",
      "--pods=disabled",
      "--log-level=debug",
      "--log-format=json",
      "--zone=10.in-addr.arpa",
    ]);
    assert.equal(agent.image, "registry.example/holdfast-dns/holdfast:2.0.1");
    assert.deepEqual(agent.resources, { requests: { cpu: "50m", memory: "100Mi" }, limits: {} });
    assert.deepEqual(agent.securityContext.capabilities, {
      drop: ["ALL"],
      add: ["NET_BIND_SERVICE", "SYS_NICE"],
    });
    assert.deepEqual(agent.env, [
      { name: "HOST_IP", valueFrom: { fieldRef: { fieldPath: "status.hostIP" } } },
      { name: "TZ", value: "UTC" },
    ]);
    assert.deepEqual([metadata.namespace, metadata.labels["team"]], ["dns", "dns"]);
    assert.equal(metadata.annotations["prometheus.io/port"], "9999");
    assert.deepEqual(
      spec.volumes.find(({ name }) => name === "kubeconfig"),
      { name: "kubeconfig", hostPath: { path: "/srv/kubeconfig", type: "File" } },
    );
    assert.ok(spec.volumes.some(({ name }) => name === "icmp-ratemask"));
    assert.ok(spec.initContainers?.[0].args?.includes("--lift-icmp-limit"));
  });

  test("has an image by its digest, and a priority of its own", () => {
    const digest = `sha256:${"ab".repeat(32)}`;
    const { spec } = podOf(`image: {digest: "${digest}", registry: ""}\npriorityClassName: mine\n`);
    assert.equal(spec.containers[0].image, `holdfast-dns/holdfast@${digest}`);
    assert.deepEqual([spec["priorityClassName"], spec["priority"]], ["mine", undefined]);
  });

  test("does not mind values that concern no single node, and empty files", () => {
    const values = "role: primary\nclusterDNS: {address: 10.96.0.10}\ncanary: {enabled: true, any: thing}\n";
    assert.deepEqual(podOf(values, "", "# nothing\n"), podOf());
  });

  test("takes from a later file what an earlier one has wrong", () => {
    assert.deepEqual(
      podOf("imagePullSecrets: [{name: x}]\nmode: service", "imagePullSecrets: []\nmode: linkLocal"),
      podOf(),
    );
  });
});

const SECRETS =
  "what the kubelet or systemd reads from a file cannot use Secrets and ConfigMaps; accepted is an empty list";
const WRONG: readonly (readonly [values: string, want: string])[] = [
  ["mode: service", 'mode: "service": it is none for a node by itself; accepted is linkLocal'],
  ["linkLocal: {ipv4: fd00::1}", 'linkLocal.ipv4: "fd00::1": accepted is an IPv4 address, or nothing'],
  ["linkLocal: {ipv6: 1.2.3.4}", 'linkLocal.ipv6: "1.2.3.4": accepted is an IPv6 address, or nothing'],
  [
    "linkLocal: {interface: 'a b'}",
    'linkLocal.interface: "a b": accepted is the name of an interface such as holdfast0',
  ],
  ["linkLocal: {setup: always}", 'linkLocal.setup: "always": accepted is one of init none'],
  [
    "answers: {ttl: 9999}",
    'answers.ttl: "9999": above 3600; accepted is a whole number of seconds from 0 to 3600',
  ],
  ["answers: {ttl: '5'}", "answers.ttl: it is a text; accepted is a number"],
  ["endpoints: some", 'endpoints: "some": this is none of the choices; accepted is headless or all'],
  [
    "clusterDomain: a..b",
    'clusterDomain: "a..b": a label is empty; accepted is a DNS name such as cluster.local',
  ],
  ["metrics: {port: 0}", 'metrics.port: "0": accepted is a port from 1 to 65535'],
  ["metrics: true", "metrics: it is true or false; accepted is a mapping"],
  ["extraArgs: x", "extraArgs: it is a text; accepted is a list"],
  ["resources: []", "resources: it is a list; accepted is a mapping"],
  ["clusterDomain:", "clusterDomain: it is nothing; accepted is a text"],
  ["imagePullSecrets: [{name: x}]", `imagePullSecrets: ${SECRETS}`],
  ["global: {imagePullSecrets: [{name: x}]}", `global.imagePullSecrets: ${SECRETS}`],
  ["extraEnvFrom: [{secretRef: {name: x}}]", `extraEnvFrom: ${SECRETS}`],
  [
    "apiServer: {host: 10.0.0.1}",
    'apiServer.host: "10.0.0.1": the kubeconfig on the node names the API server; accepted is nothing',
  ],
  ["snapshot: {hostPath: data}", 'snapshot.hostPath: "data": accepted is an absolute path without blanks'],
  [
    "linkLocal: {ipv9: x}",
    "linkLocal.ipv9: unknown (did you mean ipv4?); accepted are cleanup interface ipv4 ipv6 liftIcmpLimit setup",
  ],
  ["- a", "this is not a mapping; accepted are the chart's values"],
  [
    "a: [1",
    "not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ] at line 1, column 6",
  ],
];

suite("values that a node cannot have are refused, by name:", () => {
  for (const [text, want] of WRONG) {
    test(want.slice(0, 90), () => {
      const rendered = renderNode("static-pod", [{ path: "values.yaml", text }], {
        version: "1",
        only: undefined,
      });
      assert.deepEqual(rendered, { problem: `values.yaml: ${want}` });
    });
  }

  test("both addresses empty", () => {
    const text = 'linkLocal: {ipv4: "", ipv6: ""}';
    assert.deepEqual(renderNode("static-pod", [{ path: "v", text }], { version: "1", only: undefined }), {
      problem: "linkLocal.ipv4 and linkLocal.ipv6 are both empty; accepted is one address or two",
    });
  });
});
