import assert from "node:assert/strict";
import { test } from "node:test";
import { openHelm, type RenderOptions } from "./helm.ts";

interface Refusal extends RenderOptions {
  readonly name: string;
  readonly set: readonly string[];
  /** What the message names: the value, and what is accepted or missing. */
  readonly says: RegExp;
}

const SERVICE = 'mode="service"';
const CLUSTER_IP = 'service.clusterIP="10.96.0.53"';

/** Refused by values.schema.json: one value, whatever the others are. */
const SINGLE_VALUES: readonly Refusal[] = [
  { name: "an unknown key", set: ['linkLocl.ipv4="169.254.53.53"'], says: /'linkLocl' not allowed/ },
  {
    name: "an unknown key further in",
    set: ['linkLocal.ip="169.254.53.53"'],
    says: /'\/linkLocal'.*'ip' not/,
  },
  { name: "an unknown mode", set: ['mode="daemon"'], says: /'\/mode'.*'linkLocal', 'service', 'sidecar'/ },
  { name: "an unknown role", set: ['role="secondary"'], says: /'\/role'.*'fallback', 'primary'/ },
  { name: "a name as an address", set: ['clusterDNS.address="kube-dns"'], says: /'\/clusterDNS\/address'/ },
  {
    name: "an IPv4 address out of range",
    set: ['linkLocal.ipv4="169.254.53.530"'],
    says: /'\/linkLocal\/ipv4'/,
  },
  {
    name: "an address with a prefix",
    set: ['linkLocal.ipv4="169.254.53.53/32"'],
    says: /'\/linkLocal\/ipv4'/,
  },
  { name: "IPv4 for IPv6", set: ['linkLocal.ipv6="169.254.53.53"'], says: /'\/linkLocal\/ipv6'/ },
  {
    name: "a long name of an interface",
    set: ['linkLocal.interface="holdfast-dns-zero"'],
    says: /interface/,
  },
  {
    name: "three addresses of the Service",
    set: ['service.clusterIPs=["::1","::2","::3"]'],
    says: /clusterIPs/,
  },
  { name: "a directory that is no path", set: ['snapshot.hostPath="data"'], says: /'\/snapshot\/hostPath'/ },
  { name: "the root directory", set: ['snapshot.hostPath="/"'], says: /'\/snapshot\/hostPath'/ },
  {
    name: "an option that no resolver has",
    set: ["injection.options.retries=2"],
    says: /'retries' not allowed/,
  },
  { name: "a timeout of 0", set: ["injection.options.timeout=0"], says: /'\/injection\/options\/timeout'/ },
  { name: "an unknown way of injection", set: ['injection.policy="webhook"'], says: /'\/injection\/policy'/ },
  { name: "an admin port below 1024", set: ["metrics.port=853"], says: /'\/metrics\/port'/ },
  { name: "a digest that is none", set: ['image.digest="latest"'], says: /'\/image\/digest'/ },
  { name: "a text for a switch", set: ['canary.enabled="yes"'], says: /'\/canary\/enabled'.*boolean/ },
  { name: "a long name", set: [`fullnameOverride="${"a".repeat(51)}"`], says: /'\/fullnameOverride'/ },
];

/** Refused by the templates: what does not go together. */
const CONTRADICTIONS: readonly Refusal[] = [
  {
    name: "primary without the cluster's DNS",
    set: ['role="primary"'],
    says: /clusterDNS\.address is empty/,
  },
  {
    name: "link-local without an address",
    set: ['linkLocal.ipv4=""', 'linkLocal.ipv6=""'],
    says: /linkLocal\.ipv4 and linkLocal\.ipv6 are both empty/,
  },
  {
    name: "injection of a Service without a fixed address",
    set: [SERVICE],
    says: /service\.clusterIP is empty.*injection\.policy=none/,
  },
  {
    name: "addresses of the Service that disagree",
    set: [SERVICE, CLUSTER_IP, 'service.clusterIPs=["10.96.0.54"]'],
    says: /service\.clusterIPs begins with "10\.96\.0\.54"/,
  },
  {
    name: "PreferSameNode before it was there",
    set: [SERVICE, 'injection.policy="none"'],
    kubernetesVersion: "1.33.4",
    says: /PreferSameNode needs Kubernetes 1\.34, and this is v1\.33\.4/,
  },
  {
    name: "the admission policy before it was there",
    set: [],
    kubernetesVersion: "1.35.2",
    says: /needs Kubernetes 1\.36.*v1\.35\.2.*injection\.policy=kyverno.*injection\.policy=none/,
  },
  {
    name: "no address of the family that pods shall get",
    set: ['linkLocal.ipv4=""'],
    says: /injection\.ipFamilies is \["IPv4"\].*fd00:53::53/,
  },
  { name: "sidecars of nobody", set: ['mode="sidecar"'], says: /sidecar\.serviceAccounts is empty/ },
  {
    name: "a NetworkPolicy for the host network",
    set: ["networkPolicy.enabled=true"],
    says: /networkPolicy\.enabled needs mode=service/,
  },
  {
    name: "a canary without nodes",
    set: ["canary.enabled=true", 'canary.image.tag="2"'],
    says: /canary\.nodeSelector is empty/,
  },
  {
    name: "a canary without an image of its own",
    set: ["canary.enabled=true", 'canary.nodeSelector={"a":"1"}'],
    says: /canary\.image\.tag and canary\.image\.digest are both empty/,
  },
  {
    name: "monitoring of agents that are not there",
    set: [
      'mode="sidecar"',
      'sidecar.serviceAccounts=[{"namespace":"a","name":"b"}]',
      "metrics.podMonitor.enabled=true",
    ],
    says: /metrics\.podMonitor\.enabled needs mode=linkLocal or mode=service/,
  },
  {
    name: "two monitors",
    set: ["metrics.podMonitor.enabled=true", "metrics.serviceMonitor.enabled=true"],
    says: /serviceMonitor\.enabled and metrics\.podMonitor\.enabled are both on/,
  },
  {
    name: "a way in for nobody",
    set: ["breakGlass.enabled=true"],
    says: /breakGlass\.users and breakGlass\.groups are both empty/,
  },
];

test("values that Helm refuses, by name", async (t) => {
  const helm = await openHelm(t);
  if (helm === undefined) return;
  for (const { name, says, ...options } of [...SINGLE_VALUES, ...CONTRADICTIONS]) {
    await t.test(name, async () => {
      assert.match((await helm.refusal(options)).replaceAll("\n", " "), says);
    });
  }

  await t.test("Kubernetes before 1.29", async () => {
    assert.match(await helm.refusal({ kubernetesVersion: "1.28.9" }), />=1\.29\.0-0/);
  });

  await t.test("what older versions can do is not refused", async () => {
    const set = ['injection.policy="kyverno"'];
    await helm.template({ kubernetesVersion: "1.29.0", set });
    // As clouds write it.
    await helm.template({ kubernetesVersion: "1.36.1-eks-1234567" });
  });
});
