import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Timer } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { AdminView } from "./admin-view.ts";

const INTERVAL_MS = 1_000;

export interface HeartbeatOptions {
  /** Must exist. */
  readonly directory: string;
  readonly view: Pick<AdminView, "health" | "readiness">;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Says by files what `/healthz` and `/readyz` say: `alive` and `ready` are written once a second for as long as they hold, and `ready` is
 * removed when it does not.
 *
 * For probes on a host network. Two agents of one node overlap during an upgrade and share its ports, so that a probe over HTTP would ask
 * either of them; a directory belongs to one pod.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #timer: Timer | undefined;
  #isStopped = false;
  #isFailing = false;
  #writing = Promise.resolve();

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  start(): void {
    this.#writing = this.#beat();
  }

  /** Resolves when `ready` is gone: nothing new is to be sent here. `alive` stays, and grows old. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#writing;
    await this.#attempt(() => this.#remove("ready"));
  }

  async #beat(): Promise<void> {
    const { view } = this.#options;
    await this.#attempt(async () => {
      if (view.health().every(({ isMet }) => isMet)) await this.#write("alive");
      const isReady = !this.#isStopped && view.readiness().every(({ isMet }) => isMet);
      await (isReady ? this.#write("ready") : this.#remove("ready"));
    });
    if (!this.#isStopped) this.#timer = this.#options.clock.setTimer(INTERVAL_MS, () => this.start());
  }

  #write(name: string): Promise<void> {
    const { directory, clock } = this.#options;
    return writeFile(join(directory, name), `${new Date(clock.wallMs()).toISOString()}\n`);
  }

  #remove(name: string): Promise<void> {
    return rm(join(this.#options.directory, name), { force: true });
  }

  /** Said once for each time that it begins: a full disk would fill the log as well. */
  async #attempt(run: () => Promise<void>): Promise<void> {
    const { log, directory } = this.#options;
    try {
      await run();
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing)
        log.error("heartbeat cannot be written; probes of this pod fail", { directory, error });
      this.#isFailing = true;
    }
  }
}
