import assert from "node:assert/strict";
import { test } from "node:test";
import { SMALL_CLUSTER } from "../support/control-plane-sizes.ts";
import { plainService, type ServiceObject } from "../support/api-writer-cluster.ts";
import type { ApiWriter } from "../support/api-writer.ts";
import { pause } from "../support/control-plane-process.ts";
import { untilFirstAnswer, type DnsProbe } from "../support/dns-probe.ts";
import { openAnyCluster, printFigure, startAgent } from "./cluster-under-test.ts";
import {
  clusterIpAnswers,
  expectedAnswers,
  isExpected,
  neverExisting,
  serviceName,
  verifyAnswers,
  type Expectation,
} from "./expected-answers.ts";
import { seededRandom } from "./seeded-random.ts";

const KILLS = 10;
const CATCH_UP_LIMIT_MS = 30_000;

test(
  "ten SIGKILLs at random moments, while objects change, leave no wrong answer",
  { timeout: 300_000 },
  async (t) => {
    const random = seededRandom(t);
    const opened = await openAnyCluster(t, SMALL_CLUSTER);
    if (opened === undefined) return;
    const { cluster, writer, kubeconfig } = opened;
    const expectations = expectedAnswers(cluster);
    const { agent, probe } = await startAgent(t, { kubeconfig });
    await agent.waitForSnapshot();

    const churn = new Churn(writer, cluster.namespaces, random);
    t.after(() => churn.stop());
    for (let kill = 1; kill <= KILLS; kill++) {
      churn.start();
      await pause(50 + random() * 1500);
      await agent.restart();
      const first = await untilFirstAnswer({
        ...expectations[0],
        port: agent.port,
        isRight: (reply) => isExpected(reply, expectations[0]),
        startedAtMs: agent.startedAtMs,
        timeoutMs: 20_000,
      });
      printFigure(`exec to first right answer, kill ${kill}`, first.tookMs, "ms");
      // What did not change must be right at once, whatever the kill interrupted.
      const steady = await verifyAnswers(probe, expectations);
      assert.deepEqual(steady.wrong.slice(0, 5), [], `${steady.wrong.length} wrong after kill ${kill}`);
      await churn.stop();
      await untilAllRight(probe, churn.expectations(), `changes up to kill ${kill}`);
    }
  },
);

/** Creates and deletes Services as fast as the API server takes them, one at a time, and remembers what is there. */
class Churn {
  readonly #writer: ApiWriter;
  readonly #namespaces: readonly string[];
  readonly #random: () => number;
  readonly #present: ServiceObject[] = [];
  readonly #deleted: Expectation[] = [];
  #created = 0;
  #running: Promise<void> | undefined;
  #isStopping = false;

  constructor(writer: ApiWriter, namespaces: readonly string[], random: () => number) {
    this.#writer = writer;
    this.#namespaces = namespaces;
    this.#random = random;
  }

  start(): void {
    this.#isStopping = false;
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
    this.#running = undefined;
  }

  expectations(): Expectation[] {
    return [...this.#present.flatMap(clusterIpAnswers), ...this.#deleted];
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      if (this.#present.length > 20 && this.#random() < 0.5) await this.#deleteOne();
      else await this.#createOne();
    }
  }

  async #createOne(): Promise<void> {
    const namespace = this.#namespaces[this.#created % this.#namespaces.length];
    this.#present.push(await this.#writer.create(plainService(namespace, `churn-${this.#created++}`)));
  }

  async #deleteOne(): Promise<void> {
    const [service] = this.#present.splice(Math.floor(this.#random() * this.#present.length), 1);
    await this.#writer.delete(service);
    this.#deleted.push(neverExisting(serviceName(service).replace(/\.svc\..*/, "")));
  }
}

/** Verifies until nothing is wrong: a restarted agent needs a moment to catch up with what it missed. */
async function untilAllRight(
  probe: DnsProbe,
  expectations: readonly Expectation[],
  what: string,
): Promise<void> {
  const started = performance.now();
  for (;;) {
    const { wrong, asked } = await verifyAnswers(probe, expectations);
    const tookMs = performance.now() - started;
    if (wrong.length === 0) return printFigure(`caught up with ${what}`, tookMs, "ms");
    assert.ok(
      tookMs < CATCH_UP_LIMIT_MS,
      `${wrong.length} of ${asked} still wrong (${what}):\n${wrong.slice(0, 5).join("\n")}`,
    );
    await pause(20);
  }
}
