import {
  AGENT_UID,
  agentSecurityContext,
  DATA_DIRECTORY,
  HEARTBEAT_DIRECTORY,
  heartbeatProbe,
} from "./agent-container.ts";
import { agentArguments } from "./agent-arguments.ts";
import { deepMerge } from "./deep-merge.ts";
import type { NodeValues } from "./node-values.ts";

/** Where the container has the node's kubeconfig. */
const KUBECONFIG = "/etc/holdfast/kubeconfig";
const DEFAULT_NAMESPACE = "kube-system";

/** The kubelet gives a static pod the priority that stands in its file, and knows no classes. */
const PRIORITIES: Readonly<Record<string, number>> = {
  "system-node-critical": 2_000_001_000,
  "system-cluster-critical": 2_000_000_000,
};

/**
 * A pod for the directory that the kubelet's `staticPodPath` names: it runs on that node whether there is an API server or not.
 * @param version  Tag of the image where the values name none.
 */
export function staticPod(values: NodeValues, version: string): object {
  const image = imageReference(values, version);
  const priority = PRIORITIES[values.priorityClassName];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "holdfast",
      namespace: values.namespaceOverride || DEFAULT_NAMESPACE,
      labels: {
        "app.kubernetes.io/name": "holdfast",
        "app.kubernetes.io/component": "agent",
        "app.kubernetes.io/part-of": "holdfast",
        ...values.commonLabels,
        ...values.podLabels,
      },
      annotations: {
        ...values.commonAnnotations,
        "kubectl.kubernetes.io/default-container": "agent",
        ...scrapeAnnotations(values),
        ...values.podAnnotations,
      },
    },
    spec: {
      hostNetwork: true,
      dnsPolicy: "Default",
      enableServiceLinks: false,
      automountServiceAccountToken: false,
      priorityClassName: values.priorityClassName,
      ...(priority === undefined ? {} : { priority }),
      terminationGracePeriodSeconds: values.terminationGracePeriodSeconds,
      securityContext: deepMerge({ seccompProfile: { type: "RuntimeDefault" } }, values.podSecurityContext),
      tolerations: values.tolerations,
      ...filled("hostAliases", values.hostAliases),
      ...filled("initContainers", [...setupContainers(values, image), ...values.extraInitContainers]),
      containers: [agentContainer(values, image), ...values.extraContainers],
      volumes: volumes(values),
    },
  };
}

function agentContainer(values: NodeValues, image: string): object {
  const { probes } = values;
  return {
    name: "agent",
    image,
    imagePullPolicy: values.image.pullPolicy,
    args: agentArguments(values, [
      ...(hasMetrics(values) ? [`--admin=${hostAddress(values)}:${values.metrics.port}`] : []),
      `--heartbeat-dir=${HEARTBEAT_DIRECTORY}`,
      `--data-dir=${DATA_DIRECTORY}`,
      `--kubeconfig=${KUBECONFIG}`,
    ]),
    ...filled("env", [...hostAddressVariable(values), ...values.extraEnv]),
    startupProbe: heartbeatProbe("alive", probes.startup),
    readinessProbe: heartbeatProbe("ready", probes.readiness),
    livenessProbe: heartbeatProbe("alive", probes.liveness),
    ...(Object.keys(values.lifecycle).length === 0 ? {} : { lifecycle: values.lifecycle }),
    resources: values.resources,
    ...filled("resizePolicy", values.resizePolicy),
    securityContext: deepMerge(agentSecurityContext(), values.securityContext),
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [
      { name: "data", mountPath: DATA_DIRECTORY },
      { name: "heartbeat", mountPath: HEARTBEAT_DIRECTORY },
      { name: "kubeconfig", mountPath: KUBECONFIG, readOnly: true },
      ...values.extraVolumeMounts,
    ],
  };
}

/** Gives the node its addresses; the only one with NET_ADMIN, and gone when the agent starts. */
function setupContainers(values: NodeValues, image: string): readonly object[] {
  const { linkLocal } = values;
  if (linkLocal.setup !== "init") return [];
  const maskFile = "/host/icmp-ratemask";
  return [
    {
      name: "link-local",
      image,
      imagePullPolicy: values.image.pullPolicy,
      command: ["/busybox/link-local"],
      args: [
        "add",
        `--interface=${linkLocal.interface}`,
        `--ipv4=${linkLocal.ipv4}`,
        `--ipv6=${linkLocal.ipv6}`,
        ...(linkLocal.liftIcmpLimit ? ["--lift-icmp-limit"] : []),
        `--own-data-dir=${DATA_DIRECTORY}`,
      ],
      ...(linkLocal.liftIcmpLimit ? { env: [{ name: "ICMP_RATEMASK_FILE", value: maskFile }] } : {}),
      resources: values.setupResources,
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        runAsNonRoot: false,
        runAsUser: 0,
        runAsGroup: 0,
        capabilities: { drop: ["ALL"], add: ["NET_ADMIN", "CHOWN"] },
        seccompProfile: { type: "RuntimeDefault" },
      },
      terminationMessagePolicy: "FallbackToLogsOnError",
      volumeMounts: [
        { name: "data", mountPath: DATA_DIRECTORY },
        ...(linkLocal.liftIcmpLimit ? [{ name: "icmp-ratemask", mountPath: maskFile }] : []),
      ],
    },
  ];
}

function volumes(values: NodeValues): readonly unknown[] {
  const { linkLocal } = values;
  const mask = { path: "/proc/sys/net/ipv4/icmp_ratemask", type: "File" };
  return [
    { name: "data", hostPath: { path: values.snapshot.hostPath, type: "DirectoryOrCreate" } },
    { name: "heartbeat", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
    { name: "kubeconfig", hostPath: { path: values.staticPod.kubeconfig, type: "File" } },
    ...(linkLocal.setup === "init" && linkLocal.liftIcmpLimit
      ? [{ name: "icmp-ratemask", hostPath: mask }]
      : []),
    ...values.extraVolumes,
  ];
}

function imageReference({ image, global }: NodeValues, version: string): string {
  const registry = global.imageRegistry || image.registry;
  const repository = registry === "" ? image.repository : `${registry}/${image.repository}`;
  return image.digest === "" ? `${repository}:${image.tag || version}` : `${repository}@${image.digest}`;
}

function hasMetrics({ metrics }: NodeValues): boolean {
  return metrics.enabled || metrics.scrapeAnnotations;
}

function hostAddress({ primaryIPFamily }: NodeValues): string {
  return primaryIPFamily === "IPv6" ? "[$(HOST_IP)]" : "$(HOST_IP)";
}

function hostAddressVariable(values: NodeValues): readonly object[] {
  if (!hasMetrics(values)) return [];
  return [{ name: "HOST_IP", valueFrom: { fieldRef: { fieldPath: "status.hostIP" } } }];
}

function scrapeAnnotations({ metrics }: NodeValues): object {
  if (!metrics.scrapeAnnotations) return {};
  return {
    "prometheus.io/scrape": "true",
    "prometheus.io/port": String(metrics.port),
    "prometheus.io/path": "/metrics",
  };
}

/** The field, or none where the list is empty. */
function filled(name: string, list: readonly unknown[]): object {
  return list.length === 0 ? {} : { [name]: list };
}

/** What stands above the pod in its file. */
export function staticPodComment({ staticPod }: NodeValues): string {
  return ` Made by: holdfast render static-pod. For the kubelet's staticPodPath, such as /etc/kubernetes/manifests.
 A static pod has no ServiceAccount: ${staticPod.kubeconfig} must have credentials inside, no paths, be readable by user
 ${AGENT_UID}, and have the right to list and watch Services, Namespaces and EndpointSlices.`;
}
