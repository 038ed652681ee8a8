/**
 * What `holdfast inject` does to a pod template, as plain data. The rules are those of the chart's admission policy
 * (charts/holdfast/templates/injection): a manifest that is prepared here and a pod that is changed there ask the same servers.
 */
export interface InjectSettings {
  /** `fallback`: the cluster's DNS first, and the agent after it. `primary`: the agent first. */
  readonly role: "fallback" | "primary";
  /** Of the agent. */
  readonly addresses: readonly string[];
  /** Address of the cluster's DNS; for `primary`. */
  readonly clusterDns: string | undefined;
  readonly clusterDomain: string;
  /** Of objects that name none; for `primary`. */
  readonly namespace: string | undefined;
  readonly timeoutSeconds: number;
  readonly attempts: number;
  /** An agent inside of the pod. */
  readonly sidecar: Sidecar | undefined;
}

export interface Sidecar {
  /** As they stand in `initContainers` and in `volumes`. */
  readonly container: Named;
  readonly volumes: readonly Named[];
}

export interface Named {
  readonly name: string;
  readonly [field: string]: unknown;
}

/** What to add to a pod template, in the form of one. */
export type Addition =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "list"; readonly items: readonly unknown[]; readonly at: "start" | "end" }
  | { readonly type: "map"; readonly entries: Readonly<Record<string, Addition>> };

export type Plan =
  /** Why the pods stay as they are. */
  { readonly skip: string } | { readonly additions: Addition } | { readonly problem: string };

/** On pod templates that inject changed; holds what it added. */
export const RECORD_ANNOTATION = "holdfast/injected";

const OPT_OUT_LABEL = "holdfast/inject";
const OS_LABELS = ["kubernetes.io/os", "beta.kubernetes.io/os"];

/** What the API server and the resolvers take: the validation of PodDNSConfig, and MAXNS of resolv.h. */
const MAX_NAMESERVERS = 3;
const MAX_SEARCHES = 32;
const MAX_SEARCH_CHARACTERS = 2048;

/** @param template  A pod template, read. */
export function planInjection(
  template: unknown,
  namespace: string | undefined,
  settings: InjectSettings,
): Plan {
  const spec = field(template, "spec");
  const skip = reasonToSkip(field(template, "metadata"), spec, settings);
  if (skip !== undefined) return { skip };
  if (settings.role === "fallback")
    return { additions: additionsOf({ dnsConfig: fallbackConfig(spec, settings) }) };
  const ownNamespace = namespace ?? settings.namespace;
  if (ownNamespace === undefined)
    return { problem: "it has no metadata.namespace; accepted is one, or --namespace NAMESPACE" };
  const domain = settings.clusterDomain;
  const searches = [`${ownNamespace}.svc.${domain}`, `svc.${domain}`, domain];
  const all = [...searches, ...texts(field(spec, "dnsConfig", "searches"))];
  if (all.length > MAX_SEARCHES || all.join(" ").length > MAX_SEARCH_CHARACTERS)
    return {
      skip: `its search list would be longer than ${MAX_SEARCHES} domains or ${MAX_SEARCH_CHARACTERS} characters`,
    };
  return {
    additions: additionsOf({
      dnsPolicy: { type: "text", text: "None" },
      dnsConfig: primaryConfig(spec, searches, settings),
      ...sidecarFields(settings.sidecar),
    }),
  };
}

function reasonToSkip(metadata: unknown, spec: unknown, settings: InjectSettings): string | undefined {
  const dnsPolicy = field(spec, "dnsPolicy") ?? "ClusterFirst";
  const nameservers = texts(field(spec, "dnsConfig", "nameservers"));
  const present = nameservers.find((address) => settings.addresses.includes(address));
  const isOnHost = isTrue(field(spec, "hostNetwork"));
  if (!Array.isArray(field(spec, "containers"))) return "it has no containers";
  if (field(metadata, "labels", OPT_OUT_LABEL) === "disabled")
    return `its label is ${OPT_OUT_LABEL}: disabled`;
  if (field(metadata, "annotations", RECORD_ANNOTATION) !== undefined)
    return `it is injected already (annotation ${RECORD_ANNOTATION})`;
  if (present !== undefined) return `it has the nameserver ${present} already`;
  if (!isForLinux(spec)) return "it is not for Linux";
  if (dnsPolicy !== "ClusterFirst" && dnsPolicy !== "ClusterFirstWithHostNet")
    return `its dnsPolicy is ${JSON.stringify(dnsPolicy)}`;
  if (isOnHost && dnsPolicy !== "ClusterFirstWithHostNet")
    return "it is on the host network without dnsPolicy: ClusterFirstWithHostNet";
  // The cluster's DNS is one of them, in both roles.
  if (nameservers.length + settings.addresses.length + 1 > MAX_NAMESERVERS)
    return `${count(nameservers.length, "nameserver")} of its own leave no room: a pod has at most ${MAX_NAMESERVERS}, with the cluster's DNS`;
  return settings.sidecar && reasonAgainstSidecar(spec, settings.sidecar);
}

function reasonAgainstSidecar(spec: unknown, { container, volumes }: Sidecar): string | undefined {
  if (isTrue(field(spec, "hostNetwork")))
    return "it is on the host network, where port 53 of 127.0.0.1 is the node's";
  if (field(spec, "automountServiceAccountToken") === false)
    return "automountServiceAccountToken is false, and a sidecar needs the ServiceAccount's token";
  const containers = ["containers", "initContainers"].flatMap((list) => names(field(spec, list)));
  if (containers.includes(container.name)) return `it has a container ${container.name} already`;
  const taken = volumes.find(({ name }) => names(field(spec, "volumes")).includes(name));
  return taken && `it has a volume ${taken.name} already`;
}

function fallbackConfig(spec: unknown, { addresses, ...settings }: InjectSettings): Addition {
  return {
    type: "map",
    entries: {
      nameservers: { type: "list", items: addresses, at: "end" },
      ...optionsField(spec, { timeout: settings.timeoutSeconds, attempts: settings.attempts }),
    },
  };
}

function primaryConfig(spec: unknown, searches: readonly string[], settings: InjectSettings): Addition {
  const own = texts(field(spec, "dnsConfig", "nameservers"));
  const ours = [...settings.addresses, ...(settings.clusterDns === undefined ? [] : [settings.clusterDns])];
  const { timeoutSeconds: timeout, attempts } = settings;
  return {
    type: "map",
    entries: {
      nameservers: { type: "list", items: ours.filter((address) => !own.includes(address)), at: "start" },
      // All of them, though the pod may have some: the first place counts, and the kubelet leaves the second out.
      searches: { type: "list", items: searches, at: "start" },
      ...optionsField(spec, { ndots: 5, timeout, attempts }),
    },
  };
}

/** Those that the pod does not set itself. */
function optionsField(
  spec: unknown,
  values: Readonly<Record<string, number>>,
): Readonly<Record<string, Addition>> {
  const own = names(field(spec, "dnsConfig", "options"));
  const items = Object.entries(values)
    .filter(([name]) => !own.includes(name))
    .map(([name, value]) => ({ name, value: String(value) }));
  return items.length === 0 ? {} : { options: { type: "list", items, at: "end" } };
}

function sidecarFields(sidecar: Sidecar | undefined): Readonly<Record<string, Addition>> {
  if (sidecar === undefined) return {};
  return {
    // Before the other init containers, which may look up names.
    initContainers: { type: "list", items: [sidecar.container], at: "start" },
    volumes: { type: "list", items: sidecar.volumes, at: "end" },
  };
}

function additionsOf(entries: Readonly<Record<string, Addition>>): Addition {
  return { type: "map", entries: { spec: { type: "map", entries } } };
}

function isForLinux(spec: unknown): boolean {
  const systems = [
    field(spec, "os", "name"),
    ...OS_LABELS.map((label) => field(spec, "nodeSelector", label)),
  ];
  return systems.every((system) => system === undefined || system === null || system === "linux");
}

/** What a field holds, or undefined where something on the way is not there. */
function field(value: unknown, ...path: readonly string[]): unknown {
  let inner = value;
  for (const key of path) {
    if (typeof inner !== "object" || inner === null || !Object.hasOwn(inner, key)) return undefined;
    inner = (inner as Record<string, unknown>)[key];
  }
  return inner ?? undefined;
}

function texts(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((item): item is string => typeof item === "string") : [];
}

function names(list: unknown): readonly string[] {
  return Array.isArray(list) ? texts(list.map((item: unknown) => field(item, "name"))) : [];
}

/** YAML 1.1, which the API server reads, has more words for it than YAML 1.2. */
function isTrue(value: unknown): boolean {
  return value === true || (typeof value === "string" && /^(?:y|yes|on)$/i.test(value));
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}
