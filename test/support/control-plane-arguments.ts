import { join } from "node:path";

export type Component = "etcd" | "kube-apiserver" | "kube-controller-manager";

export interface Layout {
  readonly directory: string;
  readonly ports: Readonly<Record<"etcd" | "etcdPeer" | "api", number>>;
  /** Of the administrator. */
  readonly kubeconfig: string;
}

/** Flags that run a component on loopback, alone, with its files in the layout's directory. */
export function componentArguments(component: Component, layout: Layout): string[] {
  return ARGUMENTS[component](layout);
}

const ARGUMENTS: Readonly<Record<Component, (layout: Layout) => string[]>> = {
  etcd: etcdArguments,
  "kube-apiserver": apiServerArguments,
  "kube-controller-manager": controllerManagerArguments,
};

function etcdArguments({ directory, ports }: Layout): string[] {
  const client = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  return [
    `--data-dir=${join(directory, "etcd")}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    "--log-level=error",
    // A test writes tens of thousands of objects and never loses power.
    "--unsafe-no-fsync",
  ];
}

function apiServerArguments({ directory, ports }: Layout): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${ports.api}`,
    "--advertise-address=127.0.0.1",
    "--endpoint-reconciler-type=none",
    // Without a certificate it makes one here, with its CA, and keeps it over restarts.
    `--cert-dir=${join(directory, "pki")}`,
    `--token-auth-file=${join(directory, "tokens.csv")}`,
    "--authorization-mode=RBAC",
    `--service-account-key-file=${join(directory, "service-account.pub")}`,
    `--service-account-signing-key-file=${join(directory, "service-account.key")}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    "--service-cluster-ip-range=10.96.0.0/12,fd00:10:96::/112",
    `--audit-policy-file=${join(directory, "audit-policy.yaml")}`,
    `--audit-log-path=${join(directory, "audit.log")}`,
  ];
}

function controllerManagerArguments({ directory, kubeconfig }: Layout): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    "--leader-elect=false",
    "--secure-port=0",
    `--service-account-private-key-file=${join(directory, "service-account.key")}`,
    // The defaults would make a large cluster take minutes.
    "--kube-api-qps=500",
    "--kube-api-burst=1000",
  ];
}
