import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startProcess, waitUntil, type ManagedProcess } from "../support/control-plane-process.ts";

const PROGRAM = fileURLToPath(new URL("udp-echo-process.ts", import.meta.url));

/** A process of its own that gives datagrams back, on loopback. */
export class UdpEcho {
  readonly port: number;
  readonly #process: ManagedProcess;
  readonly #directory: string;

  private constructor(process: ManagedProcess, directory: string, port: number) {
    this.#process = process;
    this.#directory = directory;
    this.port = port;
  }

  static async start(): Promise<UdpEcho> {
    const directory = await mkdtemp(join(tmpdir(), "holdfast-echo-"));
    const echo = startProcess(process.execPath, [PROGRAM], { logFile: join(directory, "echo.log") });
    const port = await waitUntil(
      "echo",
      async () => {
        const line = /^(\d+)$/m.exec(echo.output());
        return line === null ? undefined : Number(line[1]);
      },
      { timeoutMs: 10_000, process: echo },
    );
    return new UdpEcho(echo, directory, port);
  }

  async close(): Promise<void> {
    await this.#process.kill("SIGKILL");
    await rm(this.#directory, { recursive: true, force: true });
  }
}
