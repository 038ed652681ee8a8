import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { provideAssets } from "../../scripts/build-assets.ts";
import { usageOf, type Usage } from "./agent-process-usage.ts";
import { freePort, startProcess, waitUntil, type ManagedProcess } from "./control-plane-process.ts";
import { untilFirstAnswer } from "./dns-probe.ts";

/** CoreDNS with the kubernetes plugin alone, outside the cluster: what the agent is compared with. */
export class CoreDns {
  readonly port: number;
  readonly #directory: string;
  readonly #process: ManagedProcess;
  readonly #readyPort: number;

  private constructor(port: number, readyPort: number, directory: string, process: ManagedProcess) {
    this.port = port;
    this.#readyPort = readyPort;
    this.#directory = directory;
    this.#process = process;
  }

  /** Returns as soon as the program is started. */
  static async spawn(kubeconfig: string): Promise<CoreDns> {
    const { coredns } = await provideAssets(["coredns"], (line) => console.log(`# ${line}`));
    const directory = await mkdtemp(join(tmpdir(), "holdfast-coredns-"));
    const [port, readyPort] = [await freePort(), await freePort()];
    const corefile = join(directory, "Corefile");
    await writeFile(corefile, corefileText(port, readyPort, kubeconfig));
    const process = startProcess(coredns, ["-conf", corefile], { logFile: join(directory, "coredns.log") });
    return new CoreDns(port, readyPort, directory, process);
  }

  /** Waits until it has synchronised with the API server and answers. */
  static async start(kubeconfig: string): Promise<CoreDns> {
    const server = await CoreDns.spawn(kubeconfig);
    try {
      await server.#waitReady();
      return server;
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  /** Its readiness turns true before it listens, so a first reply is waited for as well. */
  async #waitReady(): Promise<void> {
    const isReady = async () =>
      (await fetch(`http://127.0.0.1:${this.#readyPort}/ready`)).ok ? true : undefined;
    await waitUntil("CoreDNS ready", isReady, { timeoutMs: 60_000, process: this.#process });
    await untilFirstAnswer({
      port: this.port,
      qname: "dns-version.cluster.local",
      qtype: "TXT",
      isRight: ({ rcode }) => rcode === "NOERROR",
      startedAtMs: this.startedAtMs,
      timeoutMs: 10_000,
    });
  }

  get startedAtMs(): number {
    return this.#process.startedAtMs;
  }

  usage(): Usage {
    return usageOf(this.#process.pid);
  }

  async close(): Promise<void> {
    await this.#process.kill("SIGKILL");
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function corefileText(port: number, readyPort: number, kubeconfig: string): string {
  return `.:${port} {
    bind 127.0.0.1
    ready 127.0.0.1:${readyPort}
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        kubeconfig ${kubeconfig}
        pods insecure
        ttl 30
    }
}
`;
}
