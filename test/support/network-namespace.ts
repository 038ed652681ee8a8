import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { AssetsUnavailable } from "../../scripts/build-assets.ts";
import { runCommand, type CommandOptions, type CommandResult } from "./node/run-command.ts";

const PROGRAMS = ["unshare", "nsenter", "ip", "busybox", "setpriv"] as const;
const [UNSHARE, NSENTER] = PROGRAMS;

/** A network of its own, with nothing but a loopback interface that is up: what is done in it happens to no other. */
export class NetworkNamespace {
  /** Lives in the namespace and so keeps it; ends when its input does, whatever happens to this process. */
  readonly #holder: ChildProcess;

  private constructor(holder: ChildProcess) {
    this.#holder = holder;
  }

  /** @throws {AssetsUnavailable} Not Linux, not root, or a program is missing. */
  static async open(): Promise<NetworkNamespace> {
    if (process.platform !== "linux" || process.getuid?.() !== 0)
      throw new AssetsUnavailable("a network namespace needs Linux and root");
    for (const program of PROGRAMS) {
      const { exitCode } = await runCommand("sh", ["-c", `command -v ${program}`]);
      if (exitCode !== 0)
        throw new AssetsUnavailable(`${program} is not installed: run scripts/install-tools.sh`);
    }
    const holder = spawn(UNSHARE, ["--net", "--", "sh", "-c", "echo ready; exec cat"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await Promise.race([once(holder.stdout, "data"), failed(holder)]);
    const namespace = new NetworkNamespace(holder);
    await namespace.succeed("ip", "link", "set", "lo", "up");
    return namespace;
  }

  get pid(): number {
    return this.#holder.pid as number;
  }

  async run(file: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return runCommand(NSENTER, [`--target=${this.pid}`, "--net", "--", file, ...args], options);
  }

  /** @returns What it wrote to its standard output. */
  async succeed(file: string, ...args: readonly string[]): Promise<string> {
    const { stdout, stderr, exitCode } = await this.run(file, args);
    if (exitCode !== 0) throw new Error(`${file} ${args.join(" ")} failed with ${exitCode}:\n${stderr}`);
    return stdout;
  }

  /** Starts a program that stays; whoever starts it ends it. */
  start(file: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): ChildProcess {
    const entering = [`--target=${this.pid}`, "--net", "--", file, ...args];
    return spawn(NSENTER, entering, { env, stdio: ["ignore", "pipe", "pipe"] });
  }

  close(): void {
    this.#holder.kill("SIGKILL");
  }
}

async function failed(child: ChildProcess): Promise<never> {
  const [code] = (await once(child, "exit")) as [number | null];
  throw new Error(`unshare ended with ${code}`);
}
