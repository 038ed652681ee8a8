import { existsSync } from "node:fs";
import { isIPv6 } from "node:net";
import { delimiter, join } from "node:path";

/** What the operator chose. The environment comes as a value, so that tests and the worker thread see the same one. */
export interface CredentialsOptions {
  /** A kubeconfig's path; undefined: in-cluster, then $KUBECONFIG, then ~/.kube/config. */
  readonly kubeconfig: string | undefined;
  /** A context of the kubeconfig; undefined: its current-context. */
  readonly context: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where the kubelet projects the service account; default `/var/run/secrets/kubernetes.io/serviceaccount`. */
  readonly serviceAccountDirectory?: string;
}

export type CredentialsPlace =
  | {
      readonly type: "in-cluster";
      readonly server: string;
      readonly caFile: string;
      readonly tokenFile: string;
    }
  | { readonly type: "kubeconfig"; readonly files: readonly string[]; readonly context: string | undefined }
  | { readonly type: "nowhere"; readonly problem: string };

const SERVICE_ACCOUNT_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * Decides where the credentials come from; reads no file. In-cluster goes before $KUBECONFIG, other than in client-node's
 * `loadFromDefault`: a DaemonSet must not be led astray by a file in its image. A context names an entry of a kubeconfig, so
 * asking for one leaves in-cluster out.
 */
export function findCredentials(options: CredentialsOptions): CredentialsPlace {
  const { kubeconfig, context, environment } = options;
  if (kubeconfig !== undefined) return { type: "kubeconfig", files: [kubeconfig], context };
  const inCluster = context === undefined ? findServiceAccount(options) : "not used with --context";
  if (typeof inCluster === "object") return inCluster;

  const listed = environment["KUBECONFIG"]?.split(delimiter).filter((file) => file !== "") ?? [];
  if (listed.length > 0) {
    const present = listed.filter((file) => existsSync(file));
    return { type: "kubeconfig", files: present.length > 0 ? present : listed, context };
  }
  const home = environment["HOME"];
  const standard = home === undefined || home === "" ? undefined : join(home, ".kube", "config");
  if (standard !== undefined && existsSync(standard))
    return { type: "kubeconfig", files: [standard], context };
  const lastPlace =
    standard === undefined ? "~/.kube/config ($HOME is not set)" : `${standard} (does not exist)`;
  return {
    type: "nowhere",
    problem:
      `no Kubernetes credentials found: looked for a service account (${inCluster}), $KUBECONFIG (not set) and ` +
      `${lastPlace}; give --kubeconfig FILE`,
  };
}

function findServiceAccount(options: CredentialsOptions): CredentialsPlace | string {
  const host = options.environment["KUBERNETES_SERVICE_HOST"];
  const port = options.environment["KUBERNETES_SERVICE_PORT"];
  if (!host || !port) return "$KUBERNETES_SERVICE_HOST and $KUBERNETES_SERVICE_PORT are not set";
  const directory = options.serviceAccountDirectory ?? SERVICE_ACCOUNT_DIRECTORY;
  const tokenFile = join(directory, "token");
  if (!existsSync(tokenFile)) return `${tokenFile} does not exist`;
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return { type: "in-cluster", server, caFile: join(directory, "ca.crt"), tokenFile };
}
