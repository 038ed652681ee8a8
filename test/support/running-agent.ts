import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { StatusDocument } from "../../src/admin/status-document.ts";
import { startProcess, waitUntil, type ManagedProcess } from "./control-plane-process.ts";
import { DnsProbe } from "./dns-probe.ts";

const COMMAND = fileURLToPath(new URL("../../bin/holdfast.cjs", import.meta.url));
/** Nothing takes that long; a busy machine may. */
const GIVE_UP_MS = 30_000;
const HTTP_TIMEOUT_MS = 5_000;
const POLL_MS = 20;

export interface HttpReply {
  readonly status: number;
  readonly body: string;
}

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/**
 * The built agent in a process of its own. Its port is one that was free, its admin address a socket file: nothing that other tests could
 * hold.
 */
export class RunningAgent {
  /** Removed after the test. */
  readonly directory: string;
  readonly dataDirectory: string;
  readonly #options: readonly string[];
  readonly #probes: DnsProbe[] = [];
  #process: ManagedProcess | undefined;
  /** Bytes of the log before the present process. */
  #logStart = 0;
  #starts = 0;

  private constructor(directory: string, options: readonly string[]) {
    this.directory = directory;
    this.dataDirectory = join(directory, "data");
    this.#options = options;
  }

  /** Prepares an agent without starting it; it ends with the test. @param options  Beside the data directory and the admin address. */
  static async prepare(t: TestContext, ...options: string[]): Promise<RunningAgent> {
    const agent = new RunningAgent(await mkdtemp(join(tmpdir(), "holdfast-test-")), options);
    t.after(() => agent.#close());
    return agent;
  }

  /** @param more  Options of this start alone. */
  start(more: { readonly options?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {}): void {
    if (this.#process?.hasExited() === false) throw new Error("Cannot start the agent: it runs already");
    const given = [...this.#options, ...(more.options ?? [])];
    const listen = given.some((option) => option.startsWith("--listen=")) ? [] : ["--listen=127.0.0.1:0"];
    const dataDir = given.some((option) => option.startsWith("--data-dir="))
      ? []
      : [`--data-dir=${this.dataDirectory}`];
    this.#starts++;
    this.#logStart = this.#process === undefined ? 0 : this.#process.output().length;
    this.#process = startProcess(
      process.execPath,
      [
        COMMAND,
        "agent",
        "--log-format=json",
        "--log-level=debug",
        `--admin=unix:${this.#socket}`,
        ...listen,
        ...dataDir,
        ...given,
      ],
      { logFile: join(this.directory, "agent.log"), env: { ...process.env, ...more.env } },
    );
  }

  /** What the present process has written. */
  output(): string {
    return this.#running.output().slice(this.#logStart);
  }

  log(): LogLine[] {
    return this.output()
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** Waits for a line of the log. */
  untilLogged(what: string, isIt: (line: LogLine) => boolean): Promise<LogLine> {
    return this.until(what, () => Promise.resolve(this.log().find(isIt)));
  }

  get(path: string, accept = "application/json"): Promise<HttpReply> {
    return new Promise((resolve, reject) => {
      const call = request(
        { socketPath: this.#socket, path, headers: { accept, host: "localhost" }, timeout: HTTP_TIMEOUT_MS },
        (response) => {
          let body = "";
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => (body += chunk));
          response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
        },
      );
      call.on("timeout", () => call.destroy(new Error(`${path}: no answer`)));
      call.on("error", reject);
      call.end();
    });
  }

  async status(): Promise<StatusDocument> {
    return JSON.parse((await this.get("/status")).body) as StatusDocument;
  }

  /** The value of one sample of `/metrics`, as in `holdfast_kind_state{...}`; undefined where there is none. */
  async metric(sample: string): Promise<number | undefined> {
    const { body } = await this.get("/metrics");
    const line = body.split("\n").find((each) => each.startsWith(`${sample} `));
    return line === undefined ? undefined : Number(line.slice(sample.length + 1));
  }

  /** Waits until `probe` gives something. */
  until<T>(what: string, probe: () => Promise<T | undefined>): Promise<T> {
    return waitUntil(what, probe, {
      timeoutMs: GIVE_UP_MS,
      intervalMs: POLL_MS,
      process: this.#running,
    });
  }

  untilStatus(what: string, isIt: (status: StatusDocument) => boolean): Promise<StatusDocument> {
    return this.until(what, async () => {
      const status = await this.status();
      return isIt(status) ? status : undefined;
    });
  }

  /** Every kind is live. */
  untilLive(): Promise<StatusDocument> {
    return this.untilStatus("live", ({ kinds }) => kinds.every(({ state }) => state === "live"));
  }

  /** `/readyz` says yes. */
  untilReady(): Promise<StatusDocument> {
    return this.untilStatus("ready", ({ isReady }) => isReady);
  }

  /** A file of the data directory is newer than everything that was answered: nothing is unwritten. */
  untilSnapshotHolds(resourceVersion: string): Promise<StatusDocument> {
    return this.untilStatus(
      `snapshot of ${resourceVersion}`,
      ({ kinds, snapshot }) =>
        snapshot.isLastWriteOk === true &&
        kinds.every((kind) => kind.resourceVersion.split(" ").every((version) => version >= resourceVersion)),
    );
  }

  /** Of the present process's first socket. */
  async port(): Promise<number> {
    const { sockets } = await this.untilStatus("open sockets", (status) =>
      status.sockets.some(({ isOpen }) => isOpen),
    );
    return portOf(sockets.find(({ isOpen }) => isOpen)!.address);
  }

  /** A client of the present process. */
  async probe(): Promise<DnsProbe> {
    const probe = await DnsProbe.open(await this.port());
    this.#probes.push(probe);
    return probe;
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    await this.#running.kill("SIGKILL");
  }

  /** SIGTERM; resolves with the exit code. */
  async stop(): Promise<number | null> {
    await this.#running.kill("SIGTERM");
    return this.#running.exited;
  }

  /** A new path with each start: the file of a process that was killed stays behind. */
  get #socket(): string {
    return join(this.directory, `admin-${this.#starts}.sock`);
  }

  get #running(): ManagedProcess {
    if (this.#process === undefined) throw new Error("The agent was not started");
    return this.#process;
  }

  async #close(): Promise<void> {
    for (const probe of this.#probes) probe.close();
    if (this.#process !== undefined) await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}
