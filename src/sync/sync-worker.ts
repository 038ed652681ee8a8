/** The program of the sync thread: the real clock, disk and network around `Sync`. */
import { join, resolve } from "node:path";
import { parentPort } from "node:worker_threads";
import { systemClock as clock } from "../base/clock.ts";
import { compactHeap } from "../base/compact-heap.ts";
import { nodeDisk } from "../base/disk.ts";
import type { Logger } from "../base/logger.ts";
import { systemRandom as random } from "../base/random.ts";
import { createSnapshotStore } from "../snapshot/snapshot-store.ts";
import { createCredentialsLoader } from "../sources/kubernetes/credentials-loader.ts";
import { createRequestBudget } from "../sources/kubernetes/request-budget.ts";
import { createBudgetFile } from "../sources/kubernetes/request-budget-file.ts";
import { KubernetesDriver } from "./kubernetes-driver.ts";
import { ManifestsDriver } from "./manifests-driver.ts";
import type { SyncCommand, SyncMessage, SyncWorkerData } from "./messages.ts";
import { PortLogger } from "./port-logger.ts";
import type { SourceDriver } from "./source-driver.ts";
import { Sync } from "./sync.ts";
import { yieldToDnsThread } from "./thread-priority.ts";

async function main(data: SyncWorkerData): Promise<void> {
  const { config, version, isServing } = data;
  const log = new PortLogger(post, "sync");
  const directory = resolve(config.dataDir);
  const sync = new Sync({
    tracksAllEndpoints: config.endpoints === "all" || config.source === "manifests",
    driver: await createDriver(data, directory, log),
    store: createSnapshotStore({
      disk: nodeDisk,
      directory,
      clock,
      random,
      log: log.child("snapshot"),
      agentVersion: version,
    }),
    clock,
    log,
    post,
    compact: compactHeap,
    isServing,
  });
  parentPort!.on("message", (command: SyncCommand) => {
    if (command.type === "applied") sync.applied();
    // The port keeps the thread alive; ending it ends the thread.
    else if (command.type === "stop") void sync.stop().finally(() => process.exit(0));
  });
  await sync.start();
  // Not before: the first answer after a restart waits for what was read until here.
  yieldToDnsThread(data.isDnsThreadRaised);
}

function post(message: SyncMessage): void {
  const transfer = message.type === "delta" ? [message.delta.buffer] : [];
  parentPort!.postMessage(message, transfer);
}

async function createDriver(
  { config, version, credentialsWorkerFile }: SyncWorkerData,
  directory: string,
  log: Logger,
): Promise<SourceDriver> {
  if (config.source === "manifests") {
    // Loaded only where it is used: the YAML parser costs memory on every node.
    const { createManifestSource } = await import("../sources/manifests/manifest-source.ts");
    const { nodeManifestFiles } = await import("../sources/manifests/manifest-files.ts");
    const manifests = resolve(config.manifests!);
    return new ManifestsDriver(manifests, (sink) =>
      createManifestSource(
        { directory: manifests },
        { clock, log: log.child("manifests"), files: nodeManifestFiles },
        sink,
      ),
    );
  }
  return new KubernetesDriver({
    endpoints: config.endpoints,
    version,
    credentials: createCredentialsLoader(
      {
        kubeconfig: config.kubeconfig,
        context: config.context,
        environment: process.env,
        workerFile: credentialsWorkerFile,
      },
      { clock },
    ),
    budget: createRequestBudget({
      file: createBudgetFile(join(directory, "request-budget.json")),
      clock,
      log: log.child("request-budget"),
    }),
    clock,
    random,
    log: log.child("kubernetes"),
  });
}

parentPort!.once("message", (command: SyncCommand) => {
  if (command.type === "start") void main(command.data);
  else process.exit(0);
});
