/**
 * Control planes that already hold a large cluster. The API server's allocator makes each ClusterIP cost more than the last:
 * 10,000 Services take close to two minutes. So etcd's directory is kept after the first time.
 */
import { createHash } from "node:crypto";
import { cp, mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { assetCacheDirectory } from "../../scripts/build-assets.ts";
import { ApiWriter } from "./api-writer.ts";
import {
  writeCluster,
  type Cluster,
  type ClusterSize,
  type ServiceObject,
  type SliceObject,
} from "./api-writer-cluster.ts";
import { ControlPlane } from "./control-plane.ts";

const CLUSTER_SOURCE = new URL("api-writer-cluster.ts", import.meta.url);

export interface PreparedControlPlane {
  readonly plane: ControlPlane;
  readonly writer: ApiWriter;
  readonly cluster: Cluster;
  close(): Promise<void>;
}

/** @throws {AssetsUnavailable} See `ControlPlane.start`. */
export async function startPreparedControlPlane(size: ClusterSize): Promise<PreparedControlPlane> {
  const kept = await keptDirectory(size);
  const isKept = await stat(kept).then(
    () => true,
    () => false,
  );
  const plane = await ControlPlane.start(isKept ? { etcdData: kept } : {});
  const writer = new ApiWriter(plane.access());
  const close = async () => {
    writer.close();
    await plane.close();
  };
  try {
    if (isKept) return { plane, writer, cluster: await readCluster(plane), close };
    const cluster = await writeCluster(writer, size);
    await keep(plane, kept);
    return { plane, writer, cluster, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Named by everything that decides the content: versions, size, and the code that writes the objects. */
async function keptDirectory(size: ClusterSize): Promise<string> {
  const digest = createHash("sha256")
    .update(await readFile(CLUSTER_SOURCE))
    .update(JSON.stringify(size));
  return join(assetCacheDirectory(), "clusters", digest.digest("hex").slice(0, 16));
}

async function keep(plane: ControlPlane, kept: string): Promise<void> {
  const partial = `${kept}.partial-${process.pid}`;
  await mkdir(join(kept, ".."), { recursive: true });
  await plane.kill("kube-apiserver", "SIGTERM");
  await plane.kill("etcd", "SIGTERM");
  try {
    await cp(plane.etcdDirectory(), partial, { recursive: true });
    await rename(partial, kept);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    // Another run was faster: its copy is as good.
    if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error;
  }
  await plane.startComponent("etcd");
  await plane.startComponent("kube-apiserver");
}

async function readCluster(plane: ControlPlane): Promise<Cluster> {
  const services = await list<ServiceObject>(plane, "/api/v1/services", "Service");
  const slices = await list<SliceObject>(plane, "/apis/discovery.k8s.io/v1/endpointslices", "EndpointSlice");
  const ours = services.filter(({ metadata }) => metadata.namespace !== "default");
  return { namespaces: [...new Set(ours.map(({ metadata }) => metadata.namespace))], services: ours, slices };
}

/** Items of a list lack `kind` and `apiVersion` (Kubernetes API concepts, "Collections"). */
async function list<T extends ServiceObject | SliceObject>(
  plane: ControlPlane,
  path: string,
  kind: T["kind"],
): Promise<T[]> {
  const { items } = JSON.parse((await plane.get(path)).body) as { items: T[] };
  return items.map((item) => Object.assign(item, { kind }));
}
