/** What every container with the agent has, whoever starts it. The chart's templates say the same in Helm's language. */

export const IMAGE_REPOSITORY = "ghcr.io/holdfast-dns/holdfast";

export const DATA_DIRECTORY = "/var/lib/holdfast";
export const HEARTBEAT_DIRECTORY = "/run/holdfast";

/** Of the image's user. */
export const AGENT_UID = 65532;

const HEARTBEAT_LIMIT_SECONDS = 5;

/**
 * Fits a namespace that enforces the "restricted" Pod Security Standard. NET_BIND_SERVICE is a file capability of the image's Node.js:
 * without it in the bounding set the kernel does not start the file at all.
 */
export function agentSecurityContext(): object {
  return {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    runAsUser: AGENT_UID,
    runAsGroup: AGENT_UID,
    capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
    seccompProfile: { type: "RuntimeDefault" },
  };
}

/**
 * A probe by the files that the agent touches: no HTTP, which another agent on the same network could answer.
 * @param file  `alive`, or `ready` when it can answer.
 */
export function heartbeatProbe(file: "alive" | "ready", timing: object): object {
  const command = ["/busybox/heartbeat", `${HEARTBEAT_DIRECTORY}/${file}`, String(HEARTBEAT_LIMIT_SECONDS)];
  return { exec: { command }, ...timing };
}
