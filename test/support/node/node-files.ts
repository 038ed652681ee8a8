/** What the components of a node read. Paths without a directory of this machine are the node's own (`namespaces.ts`). */

/** Of pods, dual stack. */
export const POD_NETWORKS = ["10.244.0.0/24", "fd00:10:244::/64"] as const;
export const CLUSTER_DNS_ADDRESS = "10.96.0.10";
export const PAUSE_IMAGE = "localhost/pause:1";
export const CONTAINERD_SOCKET = "/run/containerd/containerd.sock";
/** Below `/var/log`, where kubelets keep them by default. */
export const POD_LOGS_DIRECTORY = "pods";

interface NodeFiles {
  /** For the file that configures CNI. */
  readonly cniDirectory: string;
  /** Where the CNI plugins are. */
  readonly cniPlugins: string;
  readonly cgroup: string;
  /** Overlays cannot lie on an overlay, as the root of a container often is. */
  readonly snapshotter: "overlayfs" | "native";
  readonly resolvConf: string;
}

export function containerdToml({ cniDirectory, cniPlugins, snapshotter }: NodeFiles): string {
  return `version = 3
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper"]

[plugins.'io.containerd.cri.v1.images']
  snapshotter = "${snapshotter}"
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "${PAUSE_IMAGE}"

[plugins.'io.containerd.cri.v1.runtime']
  # A negative oom_score_adj takes CAP_SYS_RESOURCE; without it every sandbox would die with "can't get final child's PID".
  restrict_oom_score_adj = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["${cniPlugins}"]
    conf_dir = "${cniDirectory}"
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
      SystemdCgroup = false
`;
}

export function kubeletYaml({ cgroup, resolvConf }: NodeFiles): string {
  return `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
cgroupRoot: /${cgroup}
failCgroupV1: false
failSwapOn: false
clusterDNS: ["${CLUSTER_DNS_ADDRESS}"]
clusterDomain: cluster.local
resolvConf: ${resolvConf}
containerRuntimeEndpoint: unix://${CONTAINERD_SOCKET}
healthzBindAddress: 0.0.0.0
# The disk is the developer's: however full it is, pods run.
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: {nodefs.available: "0%", imagefs.available: "0%", nodefs.inodesFree: "0%"}
localStorageCapacityIsolation: false
# A test waits for what a user would not notice.
syncFrequency: 1s
fileCheckFrequency: 1s
nodeStatusUpdateFrequency: 2s
`;
}

/** Plugin \`ptp\`, routed: on a bridge, replies of Services would pass beside kube-proxy where br_netfilter is not loaded. */
export function cniConflist(): string {
  const ranges = POD_NETWORKS.map((subnet) => [{ subnet }]);
  const routes = [{ dst: "0.0.0.0/0" }, { dst: "::/0" }];
  const pods = { type: "ptp", ipMasq: false, ipam: { type: "host-local", ranges, routes } };
  return JSON.stringify({ cniVersion: "1.0.0", name: "pods", plugins: [pods] });
}
