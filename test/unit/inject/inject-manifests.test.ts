import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parse, parseAllDocuments } from "yaml";
import { injectManifests } from "../../../src/inject/inject-manifests.ts";
import type { InjectSettings } from "../../../src/inject/injection-plan.ts";
import { uninjectManifests } from "../../../src/inject/uninject-manifests.ts";
import {
  AGENT,
  CLUSTER_DNS,
  INJECTION_CASES,
  LABELLED,
  type InjectionCase,
} from "../../cluster/injection-cases.ts";

const FALLBACK: InjectSettings = {
  role: "fallback",
  addresses: [AGENT],
  clusterDns: undefined,
  clusterDomain: "cluster.local",
  namespace: undefined,
  timeoutSeconds: 1,
  attempts: 2,
  sidecar: undefined,
};
const PRIMARY: InjectSettings = { ...FALLBACK, role: "primary", clusterDns: CLUSTER_DNS };
const SIDECAR: InjectSettings = {
  ...PRIMARY,
  addresses: ["127.0.0.1"],
  sidecar: {
    container: { name: "holdfast", image: "holdfast:1", restartPolicy: "Always" },
    volumes: [{ name: "holdfast-data", emptyDir: {} }],
  },
};

interface Pod {
  readonly spec: InjectionCase["spec"];
}

function reasons(text: string, settings: InjectSettings): readonly string[] {
  return injectManifests(text, settings).skipped.map(({ object, reason }) => `${object}: ${reason}`);
}

function podText(spec: object, metadata: object = {}): string {
  const pod = { metadata: { name: "web", ...metadata }, spec: { containers: [{ name: "web" }], ...spec } };
  return JSON.stringify({ apiVersion: "v1", kind: "Pod", ...pod });
}

function listOf(items: readonly unknown[]): object {
  return { apiVersion: "v1", kind: "List", items };
}

/** The annotation's value differs from case to case and is for uninject alone. */
function withoutRecord(text: string): string {
  return text.replaceAll(/(holdfast\/injected"?: ?)(?:'.*'|"(?:\\.|[^"\\])*")/g, "$1RECORD");
}

suite("inject changes a manifest as the chart's policy changes the pod", () => {
  // Whether a namespace takes part is the cluster's matter.
  const cases = INJECTION_CASES.filter(({ namespace }) => namespace === undefined);
  for (const { name, labels = {}, spec, ...wanted } of cases) {
    for (const role of ["fallback", "primary"] as const) {
      test(`${role}: ${name}`, () => {
        const text = podText(spec, { namespace: LABELLED, labels });
        const changed = injectManifests(text, role === "fallback" ? FALLBACK : PRIMARY).text;
        const { dnsPolicy = "ClusterFirst", dnsConfig } = (parse(changed) as Pod).spec;
        // The kubelet leaves out what a pod has twice; a manifest keeps what somebody wrote.
        const searches = dnsConfig?.searches && { searches: [...new Set(dnsConfig.searches)] };
        const { dnsPolicy: ownPolicy = "ClusterFirst", dnsConfig: ownConfig } = spec;
        const want = wanted[role] ?? { dnsPolicy: ownPolicy, dnsConfig: ownConfig };
        assert.deepEqual({ dnsPolicy, dnsConfig: dnsConfig && { ...dnsConfig, ...searches } }, want);
        assert.equal(changed === text, wanted[role] === undefined);
      });
    }
  }
});

const DEPLOYMENT = `# Deployed by hand.
apiVersion: apps/v1
kind: Deployment
metadata: {name: "web", namespace: 'shop'}
spec:
    template:
        metadata:
            # Who finds it.
            labels: { app: web }   # one
        spec:
            securityContext:
                runAsNonRoot: true

            # What it runs.
            containers:
            -   name: web
                args:
                - |
                    # no comment
                    exit

---
apiVersion: v1
kind: ConfigMap
data:   {a:   b}
`;

suite("inject writes", () => {
  test("what it adds in the style of what is there, and nothing else anew", () => {
    const { text } = injectManifests(DEPLOYMENT, FALLBACK);
    const want = DEPLOYMENT.replace(
      "            # Who finds it.",
      `            annotations:
                holdfast/injected: RECORD
            # Who finds it.`,
    ).replace(
      "            # What it runs.",
      `            dnsConfig:
                nameservers:
                - 169.254.53.53
                options:
                - name: timeout
                  value: "1"
                - name: attempts
                  value: "2"
            # What it runs.`,
    );
    assert.equal(withoutRecord(text), want);
  });

  test("beside what the pod has, line by line", () => {
    const text = `apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: shop
spec:
  dnsPolicy: 'ClusterFirst' # the default
  dnsConfig:
    options:
      - { name: ndots, value: "2" } # fewer questions
    nameservers: [ "192.0.2.1" ]
  containers: []`;
    const want = text
      .replace("  name: web", "  annotations:\n    holdfast/injected: RECORD\n  name: web")
      .replace("'ClusterFirst'", "'None'")
      .replace(
        "    options:",
        "    searches:\n    - shop.svc.cluster.local\n    - svc.cluster.local\n    - cluster.local\n    options:",
      )
      .replace(
        "# fewer questions",
        '# fewer questions\n      - name: timeout\n        value: "1"\n      - name: attempts\n        value: "2"',
      )
      .replace("[ ", '[ "169.254.53.53", "10.96.0.10", ');
    assert.equal(
      withoutRecord(injectManifests(text, PRIMARY).text),
      want.replaceAll("\n    - ", "\n      - "),
    );
  });

  test("JSON into JSON, with blanks or without", () => {
    for (const blanks of [0, 2, 4]) {
      const pod = JSON.parse(podText({ dnsPolicy: "ClusterFirst" }, { namespace: "shop" })) as object;
      const text = JSON.stringify(pod, undefined, blanks);
      const injected = injectManifests(text, SIDECAR).text;
      const { spec } = JSON.parse(injected) as { spec: { initContainers: object[]; volumes: object[] } };
      assert.deepEqual(spec.initContainers, [SIDECAR.sidecar?.container]);
      assert.deepEqual(spec.volumes, SIDECAR.sidecar?.volumes);
      assert.equal(uninjectManifests(injected).text, text);
    }
  });

  test("a sidecar before other init containers, which may look up names", () => {
    const text = podText(
      { initContainers: [{ name: "first" }], volumes: [{ name: "tmp" }] },
      { namespace: "shop" },
    );
    const { spec } = parse(injectManifests(text, SIDECAR).text) as {
      spec: { initContainers: { name: string }[]; volumes: { name: string }[] };
    };
    assert.deepEqual(
      [spec.initContainers, spec.volumes].map((list) => list.map(({ name }) => name)),
      [
        ["holdfast", "first"],
        ["tmp", "holdfast-data"],
      ],
    );
  });

  test("behind a text of several lines, with the line breaks of the file", () => {
    const text =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: y}\nspec:\n  containers: []\n" +
      "  volumes:\n  - name: a\n    note: |\n      several\n      lines\n  restartPolicy: Always\n";
    for (const lineBreak of ["\n", "\r\n"]) {
      const given = text.replaceAll("\n", lineBreak);
      const injected = injectManifests(given, SIDECAR).text;
      const tail = "lines\n  - name: holdfast-data\n    emptyDir: {}\n  restartPolicy: Always\n";
      assert.ok(injected.endsWith(tail.replaceAll("\n", lineBreak)), JSON.stringify(injected));
      assert.equal(uninjectManifests(injected).text, given);
    }
  });

  test("two addresses where two fit", () => {
    const both = { ...FALLBACK, addresses: [AGENT, "fd00:53::53"] };
    const { spec } = parse(injectManifests(podText({}), both).text) as Pod;
    assert.deepEqual(spec.dnsConfig?.nameservers, both.addresses);
    assert.deepEqual(reasons(podText({ dnsConfig: { nameservers: ["192.0.2.1"] } }), both), [
      "Pod web: 1 nameserver of its own leave no room: a pod has at most 3, with the cluster's DNS",
    ]);
  });

  test("the namespace of an object without one as it is told", () => {
    const { spec } = parse(injectManifests(podText({}), { ...PRIMARY, namespace: "told" }).text) as Pod;
    assert.equal(spec.dnsConfig?.searches?.[0], "told.svc.cluster.local");
  });
});

suite("inject finds the pods of", () => {
  const template = { spec: { containers: [{ name: "web" }] } };
  const rows: readonly (readonly [apiVersion: string, kind: string, spec: object])[] = [
    ["v1", "Pod", template.spec],
    ["v1", "ReplicationController", { template }],
    ["apps/v1", "Deployment", { template }],
    ["apps/v1", "StatefulSet", { template }],
    ["apps/v1", "DaemonSet", { template }],
    ["apps/v1", "ReplicaSet", { template }],
    ["batch/v1", "Job", { template }],
    ["batch/v1", "CronJob", { jobTemplate: { spec: { template } } }],
  ];
  for (const [apiVersion, kind, spec] of rows) {
    test(kind, () => {
      const text = JSON.stringify({ apiVersion, kind, metadata: { name: "x" }, spec });
      const injected = injectManifests(text, FALLBACK).text;
      assert.equal(injected.split(`"nameservers":["${AGENT}"]`).length, 2);
      assert.equal(uninjectManifests(injected).text, text);
    });
  }

  test("a List in a List", () => {
    const pod: unknown = JSON.parse(podText({}));
    const text = JSON.stringify(listOf([pod, listOf([pod]), { apiVersion: "v1", kind: "Secret" }]));
    assert.equal(injectManifests(text, FALLBACK).text.split('"dnsConfig":').length - 1, 2);
  });

  const others = [
    "",
    "# nothing\n",
    "--- \n...\n",
    "just: a mapping\n",
    "- a\n- list\n",
    podText({}).replace('"v1"', '"example.com/v1"'),
    JSON.stringify({ apiVersion: "serving.knative.dev/v1", kind: "Service", spec: { template } }),
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec:\n  replicas: 1\n",
  ];
  for (const text of others) {
    test(`nothing else: ${JSON.stringify(text.slice(0, 60))}`, () => {
      assert.deepEqual(injectManifests(text, FALLBACK), { text, skipped: [] });
      assert.deepEqual(uninjectManifests(text), { text, skipped: [] });
    });
  }
});

suite("inject leaves a pod as it is and says why:", () => {
  const rows: readonly (readonly [
    spec: object,
    reason: string,
    settings?: InjectSettings,
    metadata?: object,
  ])[] = [
    [{ hostNetwork: true }, "it is on the host network without dnsPolicy: ClusterFirstWithHostNet"],
    [{ dnsPolicy: "Default" }, 'its dnsPolicy is "Default"'],
    [{ os: { name: "windows" } }, "it is not for Linux"],
    [{ nodeSelector: { "beta.kubernetes.io/os": "windows" } }, "it is not for Linux"],
    [{}, "its label is holdfast/inject: disabled", FALLBACK, { labels: { "holdfast/inject": "disabled" } }],
    [{ dnsConfig: { nameservers: [AGENT] } }, `it has the nameserver ${AGENT} already`],
    [
      {},
      "it is injected already (annotation holdfast/injected)",
      FALLBACK,
      { annotations: { "holdfast/injected": "{}" } },
    ],
    [{ containers: null }, "it has no containers"],
    [
      { dnsConfig: { searches: ["x".repeat(1000), "y".repeat(1000)] } },
      "its search list would be longer than 32 domains or 2048 characters",
      { ...PRIMARY, namespace: "shop" },
    ],
    [
      { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" },
      "it is on the host network, where port 53 of 127.0.0.1 is the node's",
      SIDECAR,
    ],
    [
      { automountServiceAccountToken: false },
      "automountServiceAccountToken is false, and a sidecar needs the ServiceAccount's token",
      SIDECAR,
    ],
    [{ containers: [{ name: "holdfast" }] }, "it has a container holdfast already", SIDECAR],
    [{ volumes: [{ name: "holdfast-data" }] }, "it has a volume holdfast-data already", SIDECAR],
  ];
  for (const [spec, reason, settings = FALLBACK, metadata = {}] of rows) {
    test(reason, () => {
      const text = podText(spec, metadata);
      assert.deepEqual(injectManifests(text, settings), { text, skipped: [{ object: "Pod web", reason }] });
    });
  }
});

const WRITTEN_OUT = "accepted is a value that is written out";

suite("inject refuses", () => {
  const rows: readonly (readonly [
    title: string,
    text: string,
    message: string,
    settings?: InjectSettings,
  ])[] = [
    ["what is no YAML", "a: b\nc: [1\n", "not valid YAML at line 3, column 1: "],
    ["a key twice", "a: 1\nb: 2\na: 3\n", "not valid YAML at line 3, column 1: Map keys must be unique"],
    [
      "an object without a namespace where the search list has one",
      podText({}),
      "Pod web: it has no metadata.namespace; accepted is one, or --namespace NAMESPACE",
      PRIMARY,
    ],
    [
      "an alias in place of what it changes",
      "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nx: &dns {options: []}\nspec:\n  dnsConfig: *dns\n  containers: []\n",
      `Pod x: spec.dnsConfig is an alias (*dns); ${WRITTEN_OUT}`,
    ],
    [
      "an anchor, which would change what refers to it",
      "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: &spec\n  containers: []\nx: *spec\n",
      "Pod x: spec has an anchor (&spec); accepted is a value without",
    ],
    [
      "a merge key",
      "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nx: &x {dnsPolicy: Default}\nspec:\n  <<: *x\n  containers: []\n",
      "Pod x: spec has a merge key (<<); accepted is a mapping that is written out",
    ],
    ["a dnsConfig of another type", podText({ dnsConfig: "x" }), "Pod web: spec.dnsConfig is not a mapping"],
    [
      "nameservers of another type",
      podText({ dnsConfig: { nameservers: { a: 1 } } }),
      "Pod web: spec.dnsConfig.nameservers is not a list",
    ],
    [
      "a dnsPolicy over lines",
      "apiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: y}\nspec:\n  dnsPolicy: >-\n    ClusterFirst\n  containers: []\n",
      "Pod x: spec.dnsPolicy is not one word; accepted is a word, with quotes or without",
      PRIMARY,
    ],
  ];
  for (const [title, text, message, settings = FALLBACK] of rows) {
    test(title, () => {
      assert.throws(
        () => injectManifests(text, settings),
        (error: Error) => error.message.replace("Pod y/x", "Pod x").startsWith(message),
      );
    });
  }
});

suite("uninject", () => {
  test("keeps what came later, and what another wrote", () => {
    const injected = injectManifests(DEPLOYMENT, { ...PRIMARY }).text;
    const changed = injected
      .replace(/( +)- 10\.96\.0\.10\n/, "$&$1- 192.0.2.1\n")
      .replace(/( +)options:/, "$1x-more: true\n$&")
      .replace(/( +)holdfast\/injected/, "$1other: note\n$&");
    const [restored] = parseAllDocuments(uninjectManifests(changed).text);
    const { template } = (restored.toJS() as { spec: { template: object } }).spec;
    assert.deepEqual(template, {
      metadata: { annotations: { other: "note" }, labels: { app: "web" } },
      spec: {
        securityContext: { runAsNonRoot: true },
        dnsConfig: { nameservers: ["192.0.2.1"], "x-more": true },
        containers: [{ name: "web", args: ["# no comment\nexit\n"] }],
      },
    });
  });

  test("leaves empty what was empty, also where somebody wrote it anew", () => {
    const injected = injectManifests(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {dnsConfig: {nameservers: [ ]}, containers: []}\n",
      FALLBACK,
    ).text;
    const rewritten = injected.replace('["169.254.53.53" ]', "[\n  '169.254.53.53' , ]");
    assert.notEqual(rewritten, injected);
    const restored = parse(uninjectManifests(rewritten).text) as Pod;
    assert.deepEqual(restored.spec, { dnsConfig: { nameservers: [] }, containers: [] });
  });

  test("says which pods have nothing to take away", () => {
    assert.deepEqual(uninjectManifests(podText({})).skipped, [
      { object: "Pod web", reason: "it has no annotation holdfast/injected" },
    ]);
  });

  const foreign = [
    "yes",
    "[]",
    '{"more":1}',
    '{"added":{"spec.containers":["web"]}}',
    '{"added":{"spec.volumes":"x"}}',
    '{"created":["spec"]}',
    '{"replaced":{"spec.dnsPolicy":"evil: true"}}',
    '{"empty":{"spec.dnsConfig":"{a: 1}"}}',
  ];
  for (const record of foreign) {
    test(`takes no annotation for its own that inject would not write: ${record}`, () => {
      assert.throws(() => uninjectManifests(podText({}, { annotations: { "holdfast/injected": record } })), {
        message:
          "Pod web: the annotation holdfast/injected is not what holdfast inject writes; accepted is its JSON, or no such annotation",
      });
    });
  }
});
