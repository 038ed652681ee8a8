import type { SocketAddress } from "../base/socket-address.ts";
import { formatSocketAddress } from "../config/addresses.ts";
import {
  agentSecurityContext,
  DATA_DIRECTORY,
  HEARTBEAT_DIRECTORY,
  heartbeatProbe,
} from "./agent-container.ts";

export interface SidecarSettings {
  readonly image: string;
  /** On the pod's loopback: nobody else asks it. */
  readonly listen: SocketAddress;
  readonly clusterDomain: string;
}

const NAME = "holdfast";
const DATA_VOLUME = "holdfast-data";
const HEARTBEAT_VOLUME = "holdfast-heartbeat";

/**
 * A native sidecar: an init container that stays. It starts before the others of its pod, which wait until it runs, and not until it
 * knows the cluster: their second nameserver does. For the same reason it has no readiness probe: a pod is not less ready for it.
 */
export function sidecarContainer({ image, listen, clusterDomain }: SidecarSettings) {
  return {
    name: NAME,
    image,
    restartPolicy: "Always",
    args: [
      "agent",
      `--listen=${formatSocketAddress(listen)}`,
      `--data-dir=${DATA_DIRECTORY}`,
      `--heartbeat-dir=${HEARTBEAT_DIRECTORY}`,
      `--zone=${clusterDomain}`,
    ],
    startupProbe: heartbeatProbe("alive", { periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 60 }),
    livenessProbe: heartbeatProbe("alive", { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 }),
    resources: { requests: { cpu: "10m", memory: "100Mi" }, limits: { memory: "256Mi" } },
    securityContext: agentSecurityContext(),
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [
      { name: DATA_VOLUME, mountPath: DATA_DIRECTORY },
      { name: HEARTBEAT_VOLUME, mountPath: HEARTBEAT_DIRECTORY },
    ],
  };
}

export function sidecarVolumes() {
  return [
    { name: DATA_VOLUME, emptyDir: { sizeLimit: "512Mi" } },
    { name: HEARTBEAT_VOLUME, emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
  ];
}
