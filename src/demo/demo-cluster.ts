import { parseArgs } from "node:util";
import { systemClock } from "../base/clock.ts";
import { systemRandom } from "../base/random.ts";
import { ListWatchHandler } from "../relay/list-watch-handler.ts";
import { ListWatchServer } from "../relay/list-watch-server.ts";
import { ObjectStore } from "../relay/object-store.ts";
import { Churn } from "./churn.ts";
import { buildSampleCluster, objectsOf } from "./sample-cluster.ts";

/** What the process says on standard output, as one line of JSON, once it can be connected to. */
export interface ClusterReady {
  readonly port: number;
}

/**
 * More than any churn writes in a second. The revisions of a restarted cluster are above those of the run before it, so
 * that no client can take an old resourceVersion for one of this history.
 */
const REVISIONS_PER_MS = 10;

/**
 * The API server of the demo: the sample cluster behind the list/watch server, on loopback, in a process of its own that
 * can be killed. It ends with the process that started it, when its standard input closes.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { port: { type: "string", default: "0" } } });
  const cluster = buildSampleCluster();
  const store = new ObjectStore({ firstRevision: systemClock.wallMs() * REVISIONS_PER_MS });
  for (const object of objectsOf(cluster)) store.put(object);
  const io = { clock: systemClock, random: systemRandom };
  const server = new ListWatchServer(new ListWatchHandler(store, io));
  const churn = new Churn(store, cluster, io);
  const ready: ClusterReady = {
    port: await server.start({ address: "127.0.0.1", port: Number(values.port) }),
  };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  churn.start();
  process.stdin.resume().on("close", () => {
    churn.stop();
    void server.stop();
  });
}

void main();
