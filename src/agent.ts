import { resolve } from "node:path";
import type { Worker } from "node:worker_threads";
import { AdminServer } from "./admin/admin-server.ts";
import { Heartbeat } from "./admin/heartbeat.ts";
import { AgentView } from "./agent-view.ts";
import { AnswerTable } from "./answers/answer-table.ts";
import { DeltaApplier } from "./answers/apply-delta.ts";
import { MASK_ALL } from "./answers/delta.ts";
import { Responder, type ResponderOptions } from "./answers/responder.ts";
import { Backoff } from "./base/backoff.ts";
import { compactHeap } from "./base/compact-heap.ts";
import { systemClock as clock, type Timer } from "./base/clock.ts";
import type { Logger } from "./base/logger.ts";
import { allowOptimizing } from "./base/optimizing-compiler.ts";
import { systemRandom as random } from "./base/random.ts";
import { parseIpAddress } from "./model/ip-address.ts";
import type { SocketAddress } from "./base/socket-address.ts";
import type { AgentConfig } from "./config/agent-config.ts";
import { EventLoopMeter } from "./metrics/event-loop-meter.ts";
import { createExposition } from "./metrics/exposition.ts";
import { DnsServer } from "./server/dns-server.ts";
import { ServerMeters } from "./server/server-meters.ts";
import { StaleNotice } from "./stale-notice.ts";
import { SyncThread } from "./sync/sync-thread.ts";
import { raiseDnsThread } from "./sync/thread-priority.ts";

export interface AgentFiles {
  /** Programs of the sync thread and of the credentials process. */
  readonly syncWorker: string;
  readonly credentialsWorker: string;
  /** A sync thread that was started ahead of time. */
  readonly firstSyncWorker: Worker;
}

/**
 * How long the sockets wait for something to answer from: a refused port sends clients to the next server at once, and a predecessor that
 * shares the port knows everything. An empty table would take their queries and know nothing.
 */
const EMPTY_LIMIT_MS = 2_000;
/** By then the first list is parsed. */
const OPTIMIZE_AFTER_MS = 5_000;
const SYNC_BACKOFF = { baseMs: 500, capMs: 30_000 };

/**
 * The agent as a pipeline; read top to bottom, it is the architecture.
 *
 * ```
 * sync thread --deltas--> table --> responder --> DNS sockets
 * ```
 */
export class Agent {
  readonly #table = new AnswerTable();
  readonly #meters = new ServerMeters();
  readonly #loop = new EventLoopMeter(clock);
  readonly #sync: SyncThread;
  readonly #server: DnsServer;
  readonly #admin: AdminServer;
  readonly #heartbeat: Heartbeat | undefined;
  readonly #stale: StaleNotice;
  #optimizing: Timer | undefined;
  readonly #isComplete = Promise.withResolvers<void>();

  constructor(config: AgentConfig, files: AgentFiles, version: string, log: Logger) {
    const applier = new DeltaApplier(this.#table);
    this.#sync = new SyncThread({
      workerFile: files.syncWorker,
      firstWorker: files.firstSyncWorker,
      workerData: {
        config,
        version,
        credentialsWorkerFile: files.credentialsWorker,
        isDnsThreadRaised: raiseDnsThread(),
      },
      clock,
      log,
      backoff: new Backoff(SYNC_BACKOFF, random),
      apply: (delta) => {
        applier.apply(delta);
        if (this.#table.completeMask === MASK_ALL) this.#isComplete.resolve();
      },
      lost: () => {
        this.#table.freshMask = 0;
      },
    });
    const answering: ResponderOptions = {
      zones: config.zones,
      ttlSeconds: config.ttlSeconds,
      pods: config.pods,
      tracksAllEndpoints: config.endpoints === "all" || config.source === "manifests",
      nameServerAddresses: nameServerAddresses(config.listen),
    };
    const responder = new Responder(this.#table, answering);
    this.#server = new DnsServer(config.listen, {
      handler: (query, length, out, transport) => responder.respond(query, length, out, transport),
      meters: this.#meters,
      clock,
      log: log.child("server"),
    });
    this.#stale = new StaleNotice(this.#table, () => this.#sync.kinds, clock);
    const view = new AgentView({
      config: { ...config, dataDir: resolve(config.dataDir) },
      version,
      clock,
      table: this.#table,
      responder,
      probedResponder: new Responder(this.#table, answering),
      meters: this.#meters,
      loop: this.#loop,
      sync: this.#sync,
      server: this.#server,
    });
    const admin = { view, clock, log: log.child("admin") };
    this.#admin = new AdminServer({ addresses: config.admin, metrics: createExposition(view), ...admin });
    if (config.heartbeatDir !== undefined)
      this.#heartbeat = new Heartbeat({ directory: resolve(config.heartbeatDir), ...admin });
  }

  /** Resolves when the sockets were tried: what the disk held is answered from then on. */
  async start(): Promise<void> {
    this.#sync.start();
    this.#loop.start();
    // While the other thread comes up, and before the sockets are open: nobody waits for it.
    compactHeap();
    await this.#untilKnowing();
    this.#stale.start();
    await this.#server.start();
    this.#heartbeat?.start();
    await this.#admin.start();
    this.#optimizing = clock.setTimer(OPTIMIZE_AFTER_MS, allowOptimizing);
  }

  async #untilKnowing(): Promise<void> {
    const limit = Promise.withResolvers<void>();
    const timer = clock.setTimer(EMPTY_LIMIT_MS, () => limit.resolve());
    const restored = this.#sync.restored.then((hasSnapshot) =>
      hasSnapshot ? undefined : this.#isComplete.promise,
    );
    await Promise.race([restored, limit.promise]);
    timer.cancel();
  }

  /** Answers what was asked, writes what is unwritten, ends. */
  async stop(): Promise<void> {
    // Before the sockets close: whoever looks must see it leave.
    await this.#heartbeat?.stop();
    await this.#server.stop();
    await Promise.all([this.#admin.stop(), this.#sync.stop()]);
    this.#stale.stop();
    this.#loop.stop();
    this.#optimizing?.cancel();
  }
}

/** What `ns.dns.<zone>` resolves to: the addresses we listen on, unless that is all of them. */
function nameServerAddresses(listen: readonly SocketAddress[]): Uint8Array[] {
  return listen
    .map(({ address }) => parseIpAddress(address))
    .filter((address) => address !== undefined)
    .filter((address) => address.some((octet) => octet !== 0));
}
