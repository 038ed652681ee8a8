import type { SocketAddress } from "../base/socket-address.ts";

/** The agent's settings after precedence and validation: complete, canonical, frozen (DESIGN section 12). */
export interface AgentConfig {
  readonly source: "kubernetes" | "manifests";
  /** A kubeconfig's path; undefined: in-cluster, then $KUBECONFIG, then ~/.kube/config. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly manifests: string | undefined;
  readonly listen: readonly SocketAddress[];
  readonly admin: readonly AdminAddress[];
  readonly heartbeatDir: string | undefined;
  readonly dataDir: string;
  /** Lower case, without the final dot; the first is the primary zone (PTR targets). A reverse zone is served whole. */
  readonly zones: readonly string[];
  readonly endpoints: "headless" | "all";
  readonly ttlSeconds: number;
  readonly pods: "disabled" | "insecure";
  readonly logLevel: "trace" | "debug" | "info" | "warn" | "error";
  readonly logFormat: "json" | "pretty";
}

export type AdminAddress =
  | { readonly type: "tcp"; readonly address: SocketAddress }
  | { readonly type: "unix"; readonly path: string };
