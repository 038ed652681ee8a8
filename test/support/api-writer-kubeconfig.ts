import type { RequestOptions } from "node:https";
import { KubeConfig } from "@kubernetes/client-node";
import { ApiWriter } from "./api-writer.ts";

/** A writer with the credentials of a kubeconfig: for tests against a cluster that somebody brought. */
export async function writerForKubeconfig(path: string): Promise<ApiWriter> {
  const config = new KubeConfig();
  config.loadFromFile(path);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error(`Cannot use ${path}: its current context names no cluster`);
  const options: RequestOptions = { headers: {} };
  await config.applyToHTTPSOptions(options);
  return new ApiWriter({
    url: cluster.server,
    headers: options.headers as Record<string, string>,
    ...(options.cert !== undefined && { cert: options.cert as Buffer }),
    ...(options.key !== undefined && { key: options.key as Buffer }),
  });
}
