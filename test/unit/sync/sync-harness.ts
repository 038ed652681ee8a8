import { AnswerTable } from "../../../src/answers/answer-table.ts";
import { DeltaApplier } from "../../../src/answers/apply-delta.ts";
import { Responder } from "../../../src/answers/responder.ts";
import { TRANSPORT_UDP } from "../../../src/dns/transport.ts";
import type { GuardPolicy } from "../../../src/guard/guard-policy.ts";
import { WrongCluster } from "../../../src/guard/wrong-cluster.ts";
import { ZeroGuard } from "../../../src/guard/zero-guard.ts";
import type { Feed } from "../../../src/model/feed.ts";
import { RecordBatch } from "../../../src/model/record-batch.ts";
import type { ModelRecord } from "../../../src/model/records.ts";
import { createSnapshotStore } from "../../../src/snapshot/snapshot-store.ts";
import type { ClusterIdentity, Snapshot } from "../../../src/snapshot/snapshot.ts";
import type { FactSink, Verdict } from "../../../src/sources/source.ts";
import type { SyncMessage, SyncReport } from "../../../src/sync/messages.ts";
import type { SourceDriver } from "../../../src/sync/source-driver.ts";
import { Sync } from "../../../src/sync/sync.ts";
import { decodeReply, encodeQuery } from "../../support/dns-probe-message.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { FakeDisk } from "../../support/fake-disk.ts";
import { RecordingLog } from "../../support/recording-log.ts";
import { IDENTITY } from "../../support/snapshots.ts";

export const HEADLESS_FEEDS: readonly Feed[] = [
  "namespaces",
  "services",
  "endpointslices-headless",
  "endpointslices-custom",
];
export const ALL_FEEDS: readonly Feed[] = ["namespaces", "services", "endpointslices"];

const DIRECTORY = "/data";

/** A source that does what the test says. */
export class FakeDriver implements SourceDriver {
  readonly feeds: readonly Feed[];
  /** Set by `start`. */
  sink: FactSink | undefined;
  resume: ReadonlyMap<Feed, string> = new Map();
  isStopped = false;
  #uid = "";

  constructor(feeds: readonly Feed[]) {
    this.feeds = feeds;
  }

  isOurs(identity: ClusterIdentity): Promise<boolean> {
    return Promise.resolve(identity.caFingerprint === IDENTITY.caFingerprint);
  }

  identity(): ClusterIdentity {
    return { ...IDENTITY, clusterUid: this.#uid };
  }

  policies(clusterUid: string): readonly GuardPolicy[] {
    this.#uid = clusterUid;
    return [new WrongCluster(clusterUid), new ZeroGuard()];
  }

  start(sink: FactSink, resume: ReadonlyMap<Feed, string>): void {
    this.sink = sink;
    this.resume = resume;
  }

  stop(): void {
    this.isStopped = true;
  }

  traffic(): undefined {
    return undefined;
  }

  list(feed: Feed, resourceVersion: string, ...records: ModelRecord[]): Verdict {
    this.#uid = IDENTITY.clusterUid;
    return this.sink!.replace(feed, toBatch(records), { resourceVersion, clusterUid: IDENTITY.clusterUid });
  }

  /** Every feed in step; those that were not listed hold what the snapshot said. */
  live(...feeds: readonly Feed[]): void {
    for (const feed of feeds.length === 0 ? this.feeds : feeds) this.sink!.status(feed, { phase: "live" });
  }
}

class CountingTable extends AnswerTable {
  sweeps = 0;

  override sweep(epoch: number): void {
    this.sweeps++;
    super.sweep(epoch);
  }
}

/** What outlives a sync thread: the DNS thread's table, the disk, the time. */
export class Node {
  readonly clock = new FakeClock();
  readonly disk = new FakeDisk(() => this.clock.wallMs());
  readonly table = new CountingTable();
  readonly applier = new DeltaApplier(this.table);
  readonly #responder = new Responder(this.table, {
    zones: ["cluster.local"],
    ttlSeconds: 5,
    pods: "insecure",
    tracksAllEndpoints: false,
    nameServerAddresses: [],
  });
  readonly #out = new Uint8Array(1232);

  /** RCODE, Extended DNS Errors and addresses, as in `NOERROR 3 10.96.0.1`. */
  ask(name: string): string {
    const query = encodeQuery(1, `${name}.svc.cluster.local`, "A", true);
    const octets = this.#responder.respond(query, query.length, this.#out, TRANSPORT_UDP);
    const { rcode, extendedErrors, answers } = decodeReply(Buffer.from(this.#out.subarray(0, octets)));
    return [rcode, ...extendedErrors, ...answers.map((answer) => answer.split(" ")[2])].join(" ");
  }

  /** What a start would find now. */
  async snapshot(): Promise<Snapshot | undefined> {
    return (await this.store().load(() => true)).snapshot;
  }

  /** Names of the Services that a start would find now. */
  async storedNames(): Promise<string[]> {
    const snapshot = await this.snapshot();
    const services = snapshot?.feeds.find(({ feed }) => feed === "services");
    return Array.from(services?.records.records() ?? [], ({ name }) => name).toSorted();
  }

  async save(feeds: Partial<Record<Feed, readonly ModelRecord[]>>, resourceVersion = "100"): Promise<void> {
    await this.store().save({
      identity: IDENTITY,
      writtenAtWallMs: this.clock.wallMs(),
      feeds: (Object.entries(feeds) as [Feed, ModelRecord[]][]).map(([feed, records]) => {
        return { feed, resourceVersion, complete: true, records: toBatch(records) };
      }),
    });
  }

  store() {
    const log = new RecordingLog();
    return createSnapshotStore({
      disk: this.disk,
      directory: DIRECTORY,
      clock: this.clock,
      random: () => 0.5,
      log,
      agentVersion: "0",
    });
  }
}

export interface SyncHarnessOptions {
  readonly feeds?: readonly Feed[];
  readonly node?: Node;
  /** Whether the DNS thread takes messages as they come; else only in `deliver`. */
  readonly isSlow?: boolean;
}

/** A `Sync` with everything around it: messages are delivered later, as between threads. */
export class SyncHarness {
  readonly node: Node;
  readonly driver: FakeDriver;
  readonly sync: Sync;
  readonly log = new RecordingLog();
  readonly #isSlow: boolean;
  readonly #inbox: SyncMessage[] = [];
  isRestored = false;
  report: SyncReport | undefined;
  reports = 0;
  /** Posted and not applied. */
  deltasUnderWay = 0;
  mostDeltasUnderWay = 0;
  deltas = 0;
  /** Called after each delta. */
  onApplied: () => void = () => undefined;

  constructor(options: SyncHarnessOptions = {}) {
    this.node = options.node ?? new Node();
    this.driver = new FakeDriver(options.feeds ?? HEADLESS_FEEDS);
    this.#isSlow = options.isSlow ?? false;
    this.sync = new Sync({
      tracksAllEndpoints: false,
      driver: this.driver,
      store: this.node.store(),
      clock: this.node.clock,
      log: this.log,
      post: (message) => this.#post(message),
      compact: () => undefined,
      isServing: true,
    });
  }

  /** Starts and lets everything settle that needs no time. */
  async start(): Promise<void> {
    await this.sync.start();
    await this.settle();
  }

  settle(): Promise<void> {
    return this.node.clock.advanceAsync(0);
  }

  pass(ms: number): Promise<void> {
    return this.node.clock.advanceAsync(ms);
  }

  /** Takes one message from the sync thread. */
  deliver(): boolean {
    const message = this.#inbox.shift();
    if (message === undefined) return false;
    if (message.type === "restored") this.isRestored = true;
    if (message.type === "report") {
      this.report = message.report;
      this.reports++;
    }
    if (message.type === "delta") {
      this.deltasUnderWay--;
      this.deltas++;
      this.node.applier.apply(message.delta);
      this.onApplied();
      this.sync.applied();
    }
    return true;
  }

  #post(message: SyncMessage): void {
    this.#inbox.push(message);
    if (message.type === "delta") this.deltasUnderWay++;
    this.mostDeltasUnderWay = Math.max(this.mostDeltasUnderWay, this.deltasUnderWay);
    if (!this.#isSlow) void Promise.resolve().then(() => this.deliver());
  }
}

export function toBatch(records: readonly ModelRecord[]): RecordBatch {
  const batch = new RecordBatch();
  for (const record of records) batch.append(record);
  return batch;
}

export const NAMESPACE: ModelRecord = { kind: "Namespace", name: "default" };

export function service(name: string, address: string): ModelRecord {
  return {
    kind: "Service",
    namespace: "default",
    name,
    type: "ClusterIP",
    clusterIPs: [address],
    externalName: "",
    ports: [{ name: "http", protocol: "TCP", port: 80 }],
  };
}

export function headless(name: string): ModelRecord {
  return {
    kind: "Service",
    namespace: "default",
    name,
    type: "Headless",
    clusterIPs: [],
    externalName: "",
    ports: [],
  };
}

export function slice(serviceName: string, address: string): ModelRecord {
  return {
    kind: "EndpointSlice",
    namespace: "default",
    name: `${serviceName}-1`,
    serviceName,
    addressType: "IPv4",
    ports: [],
    endpoints: [{ addresses: [address], hostname: "", ready: true }],
  };
}
