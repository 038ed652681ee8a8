/**
 * As a command: a node to try things on. `kubectl` finds it with the variable that is printed. It ends with its input (Ctrl-D);
 * after Ctrl-C its files stay until another node starts.
 */
import { once } from "node:events";
import { ClusterNode } from "./cluster-node.ts";

const node = await ClusterNode.start();
console.log(`export KUBECONFIG=${node.kubeconfig}`);
await once(process.stdin.resume(), "end");
await node.close();
