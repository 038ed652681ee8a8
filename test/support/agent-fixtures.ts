import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  namespaceObject,
  serviceObject,
  sliceObject,
  type ServiceSpec,
} from "../../src/demo/sample-objects.ts";
import type { KubernetesObject } from "../../src/relay/stored-object.ts";

const PORTS = [{ name: "http", protocol: "TCP", port: 80 }] as const;
const OTHER_UID = "99999999-9999-4999-8999-999999999999";

/** A kubeconfig for a server without TLS. */
export function kubeconfigText(server: string, token = "a-token"): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server } }],
    users: [{ name: "test", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    "current-context": "test",
  });
}

/** What an agent has to answer to one A query. */
export interface ExpectedAnswer {
  readonly qname: string;
  /** Sorted. */
  readonly addresses: readonly string[];
}

/** A cluster of ClusterIP Services in `default`, and one headless Service with two pods. */
export interface SampleCluster {
  readonly objects: readonly KubernetesObject[];
  readonly expected: readonly ExpectedAnswer[];
}

export function sampleCluster(services = 20): SampleCluster {
  const objects: KubernetesObject[] = [namespaceObject("kube-system"), namespaceObject("default")];
  const expected: ExpectedAnswer[] = [];
  for (let index = 0; index < services; index++) {
    objects.push(clusterIpService(`web-${index}`, addressOf(index)));
    expected.push({ qname: qnameOf(`web-${index}`), addresses: [addressOf(index)] });
  }
  const addresses = ["10.244.1.1", "10.244.1.2"];
  objects.push(...headlessService("db", addresses));
  expected.push({ qname: qnameOf("db"), addresses });
  expected.push({ qname: `db-1.${qnameOf("db")}`, addresses: ["10.244.1.2"] });
  return { objects, expected };
}

export function qnameOf(service: string): string {
  return `${service}.default.svc.cluster.local`;
}

export function addressOf(index: number): string {
  return `10.96.${index >> 8}.${(index & 255) + 1}`;
}

export function clusterIpService(name: string, clusterIP: string): KubernetesObject {
  return serviceObject({ namespace: "default", name, clusterIPs: [clusterIP], ports: PORTS });
}

/** A Service and its slice, with pods `<name>-0`, `<name>-1`, ... */
export function headlessService(name: string, addresses: readonly string[]): KubernetesObject[] {
  const service: ServiceSpec = { namespace: "default", name, clusterIPs: [], ports: PORTS };
  const endpoints = addresses.map((address, index) => {
    return { address, podName: `${name}-${index}`, hasHostname: true, ready: true };
  });
  return [serviceObject(service), sliceObject({ service, addressType: "IPv4", endpoints })];
}

/** The same objects in a cluster that was built again: kube-system has another UID. */
export function inOtherCluster(objects: readonly KubernetesObject[]): KubernetesObject[] {
  return objects.map((object) =>
    object.kind === "Namespace" && object.metadata.name === "kube-system"
      ? { ...object, metadata: { ...object.metadata, uid: OTHER_UID } }
      : object,
  );
}

export const FAILURES = ["throw", "exit", "exhaust"] as const;
export type SyncFailure = (typeof FAILURES)[number];

/**
 * A program for `node --require` that makes the sync thread fail when told so through a file. Nothing in the product knows of it:
 * whatever ends a thread comes without warning.
 */
export async function writeSaboteur(
  directory: string,
): Promise<{ readonly nodeOptions: string; fail(failure: SyncFailure): Promise<void> }> {
  const program = join(directory, "saboteur.cjs");
  const order = join(directory, "saboteur-order");
  await writeFile(program, SABOTEUR.replaceAll("ORDER_FILE", JSON.stringify(order)));
  return {
    nodeOptions: `--require=${program}`,
    fail: async (failure) => {
      await writeFile(`${order}.new`, failure);
      await rename(`${order}.new`, order);
    },
  };
}

/** An order is carried out once, by the thread that runs or by the next one. */
const SABOTEUR = `"use strict";
const { isMainThread } = require("node:worker_threads");
const { existsSync, readFileSync, unlinkSync } = require("node:fs");
if (!isMainThread) {
  const timer = setInterval(() => {
    if (!existsSync(ORDER_FILE)) return;
    const order = readFileSync(ORDER_FILE, "utf8");
    unlinkSync(ORDER_FILE);
    if (order === "throw") throw new Error("made to throw");
    if (order === "exit") process.exit(7);
    const hoard = [];
    for (;;) hoard.push(new Array(1e5).fill({}));
  }, 3);
  timer.unref();
}
`;
