/** API objects as a server sends them, with the fields that DNS has no use for. */

export function namespaceObject(name: string, resourceVersion: number | string) {
  return {
    kind: "PartialObjectMetadata",
    apiVersion: "meta.k8s.io/v1",
    metadata: { name, uid: `uid-${name}`, resourceVersion: String(resourceVersion) },
  };
}

export function serviceObject(name: string, resourceVersion: number | string, clusterIP = "10.96.0.10") {
  return {
    kind: "Service",
    apiVersion: "v1",
    metadata: {
      name,
      namespace: "shop",
      resourceVersion: String(resourceVersion),
      managedFields: [{ manager: "kubectl", fieldsV1: { "f:spec": {} } }],
    },
    spec: {
      type: "ClusterIP",
      clusterIP,
      clusterIPs: [clusterIP],
      ports: [{ name: "http", protocol: "TCP", port: 80, targetPort: 8080 }],
      selector: { app: name },
    },
    status: { loadBalancer: {} },
  };
}

export function sliceObject(name: string, resourceVersion: number | string, addresses = ["10.0.0.1"]) {
  return {
    kind: "EndpointSlice",
    apiVersion: "discovery.k8s.io/v1",
    metadata: {
      name,
      namespace: "shop",
      resourceVersion: String(resourceVersion),
      labels: { "kubernetes.io/service-name": "db", "service.kubernetes.io/headless": "" },
    },
    addressType: "IPv4",
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    ports: [{ name: "pg", protocol: "TCP", port: 5432 }],
  };
}

export function listOf(
  kind: string,
  items: readonly unknown[],
  resourceVersion: number | string,
  continueToken?: string,
) {
  return {
    kind: `${kind}List`,
    apiVersion: "v1",
    metadata: {
      resourceVersion: String(resourceVersion),
      ...(continueToken ? { continue: continueToken } : {}),
    },
    items,
  };
}

export function bookmark(kind: string, resourceVersion: number | string, endsInitialEvents = false) {
  const annotations = endsInitialEvents ? { annotations: { "k8s.io/initial-events-end": "true" } } : {};
  return { kind, apiVersion: "v1", metadata: { resourceVersion: String(resourceVersion), ...annotations } };
}

export function status(code: number, reason: string, message: string) {
  return { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message };
}

export const KUBE_SYSTEM_UID = "5b0d2a0c-kube-system";

export function kubeSystem(uid = KUBE_SYSTEM_UID) {
  return { kind: "PartialObjectMetadata", metadata: { name: "kube-system", uid, resourceVersion: "4" } };
}

export function kubeSystemList() {
  return {
    kind: "PartialObjectMetadataList",
    apiVersion: "meta.k8s.io/v1",
    metadata: { resourceVersion: "90" },
    // A server may ignore the selector.
    items: [{ metadata: { name: "default", uid: "other" } }, kubeSystem()],
  };
}
