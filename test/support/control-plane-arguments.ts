import { join } from "node:path";

export type Component = "etcd" | "kube-apiserver" | "kube-controller-manager";

export interface Layout {
  readonly directory: string;
  readonly ports: Readonly<Record<"etcd" | "etcdPeer" | "api", number>>;
  /** Of the administrator. */
  readonly kubeconfig: string;
  /** Where etcd and the API server listen. */
  readonly address: string;
  /** Whether pods run, and need what kubelets and ServiceAccounts need. */
  readonly hasNode: boolean;
  readonly apiServerFlags: readonly string[];
}

/** The API server makes its certificate itself at the first start and keeps it: the file ends with the CA that signed it. */
export function apiServerAuthority(directory: string): string {
  return join(directory, "pki", "apiserver.crt");
}

/** Flags that run a component alone, with its files in the layout's directory. */
export function componentArguments(component: Component, layout: Layout): string[] {
  return ARGUMENTS[component](layout);
}

const ARGUMENTS: Readonly<Record<Component, (layout: Layout) => string[]>> = {
  etcd: etcdArguments,
  "kube-apiserver": apiServerArguments,
  "kube-controller-manager": controllerManagerArguments,
};

function etcdArguments({ directory, ports, address }: Layout): string[] {
  const client = `http://${address}:${ports.etcd}`;
  const peer = `http://${address}:${ports.etcdPeer}`;
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

function apiServerArguments(layout: Layout): string[] {
  const { directory, ports, address } = layout;
  return [
    `--etcd-servers=http://${address}:${ports.etcd}`,
    `--bind-address=${address}`,
    `--secure-port=${ports.api}`,
    `--advertise-address=${address}`,
    // Without a certificate it makes one here, with its CA, and keeps it over restarts.
    `--cert-dir=${join(directory, "pki")}`,
    `--token-auth-file=${join(directory, "tokens.csv")}`,
    ...(layout.hasNode
      ? [
          "--authorization-mode=Node,RBAC",
          "--allow-privileged",
          "--kubelet-preferred-address-types=InternalIP",
        ]
      : // Without pods nobody needs the Service `kubernetes`, and a loopback address could not be its endpoint.
        ["--authorization-mode=RBAC", "--endpoint-reconciler-type=none"]),
    `--service-account-key-file=${join(directory, "service-account.pub")}`,
    `--service-account-signing-key-file=${join(directory, "service-account.key")}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    "--service-cluster-ip-range=10.96.0.0/12,fd00:10:96::/112",
    `--audit-policy-file=${join(directory, "audit-policy.yaml")}`,
    `--audit-log-path=${join(directory, "audit.log")}`,
    ...layout.apiServerFlags,
  ];
}

function controllerManagerArguments({ directory, kubeconfig, hasNode }: Layout): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    "--leader-elect=false",
    "--secure-port=0",
    `--service-account-private-key-file=${join(directory, "service-account.key")}`,
    // The defaults would make a large cluster take minutes.
    "--kube-api-qps=500",
    "--kube-api-burst=1000",
    // What pods are given to know the API server by.
    ...(hasNode ? [`--root-ca-file=${apiServerAuthority(directory)}`] : []),
  ];
}
