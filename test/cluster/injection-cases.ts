/** The part of a pod's specification that decides about its DNS. */
export interface PodDns {
  readonly dnsPolicy?: string;
  readonly dnsConfig?: DnsConfig | undefined;
}

export interface DnsConfig {
  readonly nameservers?: readonly string[];
  readonly searches?: readonly string[];
  readonly options?: readonly DnsOption[];
}

interface DnsOption {
  readonly name: string;
  readonly value?: string;
}

export interface InjectionCase {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec: PodDns & { readonly [field: string]: unknown };
  /** What the pod has then with `role: fallback`; undefined: what it had. */
  readonly fallback?: PodDns;
  /** The same with `role: primary`. */
  readonly primary?: PodDns;
}

export const AGENT = "169.254.53.53";
export const CLUSTER_DNS = "10.96.0.10";
/** Has the label, as most cases need it. */
export const LABELLED = "shop";
export const UNLABELLED = "quiet";
/** Have the label, and are left alone. */
export const EXCLUDED = ["kube-system", "holdfast"] as const;

const TIMEOUT = { name: "timeout", value: "1" };
const ATTEMPTS = { name: "attempts", value: "2" };
const NDOTS = { name: "ndots", value: "5" };
const SEARCHES = [`${LABELLED}.svc.cluster.local`, "svc.cluster.local", "cluster.local"];

/** With nothing of its own, and on a plain policy. */
const FALLBACK: PodDns = {
  dnsPolicy: "ClusterFirst",
  dnsConfig: { nameservers: [AGENT], options: [TIMEOUT, ATTEMPTS] },
};
const PRIMARY: PodDns = {
  dnsPolicy: "None",
  dnsConfig: {
    nameservers: [AGENT, CLUSTER_DNS],
    searches: SEARCHES,
    options: [NDOTS, TIMEOUT, ATTEMPTS],
  },
};

export const INJECTION_CASES: readonly InjectionCase[] = [
  { name: "a pod that says nothing of DNS", spec: {}, fallback: FALLBACK, primary: PRIMARY },
  { name: "an empty dnsConfig", spec: { dnsConfig: {} }, fallback: FALLBACK, primary: PRIMARY },
  {
    name: "one nameserver of its own",
    spec: { dnsConfig: { nameservers: ["192.0.2.1"] } },
    fallback: {
      ...FALLBACK,
      dnsConfig: { nameservers: ["192.0.2.1", AGENT], options: [TIMEOUT, ATTEMPTS] },
    },
    primary: {
      ...PRIMARY,
      dnsConfig: { ...PRIMARY.dnsConfig, nameservers: [AGENT, CLUSTER_DNS, "192.0.2.1"] },
    },
  },
  {
    name: "the cluster's DNS as a nameserver of its own",
    spec: { dnsConfig: { nameservers: [CLUSTER_DNS] } },
    fallback: {
      ...FALLBACK,
      dnsConfig: { nameservers: [CLUSTER_DNS, AGENT], options: [TIMEOUT, ATTEMPTS] },
    },
    primary: PRIMARY,
  },
  {
    name: "two nameservers of its own: no room",
    spec: { dnsConfig: { nameservers: ["192.0.2.1", "192.0.2.2"] } },
  },
  { name: "the agent as a nameserver of its own", spec: { dnsConfig: { nameservers: [AGENT] } } },
  {
    name: "options of its own",
    spec: { dnsConfig: { options: [{ name: "ndots", value: "2" }, { name: "use-vc" }] } },
    fallback: {
      ...FALLBACK,
      dnsConfig: {
        nameservers: [AGENT],
        options: [{ name: "ndots", value: "2" }, { name: "use-vc" }, TIMEOUT, ATTEMPTS],
      },
    },
    primary: {
      ...PRIMARY,
      dnsConfig: {
        ...PRIMARY.dnsConfig,
        options: [{ name: "ndots", value: "2" }, { name: "use-vc" }, TIMEOUT, ATTEMPTS],
      },
    },
  },
  {
    name: "a timeout of its own",
    spec: { dnsConfig: { options: [{ name: "timeout", value: "3" }] } },
    fallback: {
      ...FALLBACK,
      dnsConfig: { nameservers: [AGENT], options: [{ name: "timeout", value: "3" }, ATTEMPTS] },
    },
    primary: {
      ...PRIMARY,
      dnsConfig: { ...PRIMARY.dnsConfig, options: [{ name: "timeout", value: "3" }, NDOTS, ATTEMPTS] },
    },
  },
  {
    name: "search domains of its own",
    spec: { dnsConfig: { searches: ["example.org", "svc.cluster.local"] } },
    fallback: {
      ...FALLBACK,
      dnsConfig: { ...FALLBACK.dnsConfig, searches: ["example.org", "svc.cluster.local"] },
    },
    primary: {
      ...PRIMARY,
      dnsConfig: { ...PRIMARY.dnsConfig, searches: [...SEARCHES, "example.org"] },
    },
  },
  {
    name: "30 search domains of its own: no room for three more",
    spec: { dnsConfig: { searches: Array.from({ length: 30 }, (_, index) => `s${index}.example.org`) } },
    fallback: {
      ...FALLBACK,
      dnsConfig: {
        ...FALLBACK.dnsConfig,
        searches: Array.from({ length: 30 }, (_, index) => `s${index}.example.org`),
      },
    },
  },
  { name: "the host network", spec: { hostNetwork: true } },
  {
    name: "the host network with ClusterFirstWithHostNet",
    spec: { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" },
    fallback: { ...FALLBACK, dnsPolicy: "ClusterFirstWithHostNet" },
    primary: PRIMARY,
  },
  {
    name: "dnsPolicy None",
    spec: { dnsPolicy: "None", dnsConfig: { nameservers: ["192.0.2.1"] } },
  },
  { name: "dnsPolicy Default", spec: { dnsPolicy: "Default" } },
  { name: "the label that opts out", labels: { "holdfast/inject": "disabled" }, spec: {} },
  {
    name: "another value of that label",
    labels: { "holdfast/inject": "enabled" },
    spec: {},
    fallback: FALLBACK,
    primary: PRIMARY,
  },
  { name: "Windows by its os", spec: { os: { name: "windows" } } },
  { name: "Windows by its node selector", spec: { nodeSelector: { "kubernetes.io/os": "windows" } } },
  {
    name: "Linux by both",
    spec: { os: { name: "linux" }, nodeSelector: { "kubernetes.io/os": "linux" } },
    fallback: FALLBACK,
    primary: PRIMARY,
  },
  {
    name: "another node selector",
    spec: { nodeSelector: { disk: "fast" } },
    fallback: FALLBACK,
    primary: PRIMARY,
  },
  { name: "a namespace without the label", namespace: UNLABELLED, spec: {} },
  ...EXCLUDED.map((namespace) => ({
    name: `the namespace ${namespace}, in spite of its label`,
    namespace,
    spec: {},
  })),
];
