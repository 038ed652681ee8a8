import type { Asset } from "../../../scripts/build-assets.ts";
import { delimiter, dirname, join } from "node:path";
import type { Component } from "../control-plane-arguments.ts";
import { NODE_NAME, type ClusterUser } from "../control-plane.ts";
import { POD_NETWORKS } from "./node-files.ts";
import { systemEnvironment } from "./run-command.ts";

export const NODE_COMPONENTS = ["containerd", "kubelet", "kube-scheduler", "kube-proxy"] as const;
export type NodeComponent = (typeof NODE_COMPONENTS)[number];
/** Everything that a test can kill and start again. */
export type ClusterComponent = Component | NodeComponent;

export function isNodeComponent(component: ClusterComponent): component is NodeComponent {
  return NODE_COMPONENTS.some((known) => known === component);
}

export const NODE_ASSETS = [
  ...NODE_COMPONENTS,
  "containerd-shim-runc-v2",
  "ctr",
  "kubectl",
  "helm",
  "coredns",
] as const satisfies readonly Asset[];
export type NodeAsset = (typeof NODE_ASSETS)[number];

export interface NodeLayout {
  /** The files of `node-files.ts` are in it. */
  readonly directory: string;
  readonly addresses: readonly string[];
  readonly kubeconfig: (user: ClusterUser) => string;
  readonly programs: Readonly<Record<NodeAsset, string>>;
}

export interface Invocation {
  readonly args: readonly string[];
  /** On the node's address; answers with 200 once the component works. The scheduler serves nothing. */
  readonly healthUrl?: string;
}

/** All of them get the same: containerd looks for its shim on the PATH. */
export function nodeEnvironment({ programs }: NodeLayout): NodeJS.ProcessEnv {
  const system = systemEnvironment();
  const path = [dirname(programs["containerd-shim-runc-v2"]), system["PATH"]].join(delimiter);
  return { ...system, PATH: path };
}

export function invocationOf(component: NodeComponent, layout: NodeLayout): Invocation {
  return INVOCATIONS[component](layout);
}

const INVOCATIONS: Readonly<Record<NodeComponent, (layout: NodeLayout) => Invocation>> = {
  containerd: ({ directory }) => ({ args: [`--config=${join(directory, "containerd.toml")}`] }),
  kubelet: ({ directory, addresses, kubeconfig }) => ({
    args: [
      `--config=${join(directory, "kubelet.yaml")}`,
      `--kubeconfig=${kubeconfig("kubelet")}`,
      `--hostname-override=${NODE_NAME}`,
      `--node-ip=${addresses.join()}`,
    ],
    healthUrl: `http://${addresses[0]}:10248/healthz`,
  }),
  "kube-scheduler": ({ kubeconfig }) => ({
    args: [`--kubeconfig=${kubeconfig("kube-scheduler")}`, "--leader-elect=false", "--secure-port=0"],
  }),
  "kube-proxy": ({ addresses, kubeconfig }) => ({
    args: [
      `--kubeconfig=${kubeconfig("kube-proxy")}`,
      `--hostname-override=${NODE_NAME}`,
      "--proxy-mode=nftables",
      `--cluster-cidr=${POD_NETWORKS.join()}`,
      "--healthz-bind-address=0.0.0.0:10256",
      // The size of the table is a setting of the whole machine, which a network namespace cannot change.
      "--conntrack-max-per-core=0",
    ],
    healthUrl: `http://${addresses[0]}:10256/livez`,
  }),
};
