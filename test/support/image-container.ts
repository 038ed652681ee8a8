import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startProcess, waitUntil, type ManagedProcess } from "./control-plane-process.ts";
import type { NetworkNamespace } from "./network-namespace.ts";
import { runCommand, runToSuccess, systemEnvironment, type CommandResult } from "./node/run-command.ts";
import type { UnpackedImage } from "./oci-image.ts";

const CONTAINER = "container";

export interface ContainerOptions {
  readonly image: UnpackedImage;
  readonly network: NetworkNamespace;
  /** In place of the image's CMD, as a pod's `args`. */
  readonly args: readonly string[];
  /** In place of the image's ENTRYPOINT, as a pod's `command`. */
  readonly command?: readonly string[];
  /** Default: that of the image. */
  readonly user?: number;
  /** Default: none, as in a pod that drops all of them. */
  readonly capabilities?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Directories of this machine, by their path in the container. */
  readonly mounts?: Readonly<Record<string, string>>;
}

/** A container as the kubelet has runc make it from a pod: no new privileges, the root file system read-only, the host's network. */
export class ImageContainer {
  readonly #process: ManagedProcess;
  readonly #directory: string;

  private constructor(process: ManagedProcess, directory: string) {
    this.#process = process;
    this.#directory = directory;
  }

  static async start(options: ContainerOptions): Promise<ImageContainer> {
    const directory = await mkdtemp(join(tmpdir(), "holdfast-container-"));
    await writeFile(join(directory, "config.json"), JSON.stringify(runtimeConfig(options)));
    const args = [`--bundle=${directory}`, `--pid-file=${join(directory, "pid")}`, CONTAINER];
    const logFile = join(directory, "log");
    const process = startProcess("runc", [`--root=${join(directory, "state")}`, "run", ...args], {
      logFile,
      env: systemEnvironment(),
    });
    return new ImageContainer(process, directory);
  }

  /** Runs one to its end. */
  static async run(
    options: ContainerOptions,
  ): Promise<{ readonly exitCode: number | null; readonly output: string }> {
    const container = await ImageContainer.start(options);
    try {
      return { exitCode: await container.#process.exited, output: container.output() };
    } finally {
      await container.close();
    }
  }

  /** What it wrote, both streams; runc's own complaints too. */
  output(): string {
    return this.#process.output();
  }

  /** `performance.now()` just before runc was started. */
  get startedAtMs(): number {
    return this.#process.startedAtMs;
  }

  /** The process id of the first process, as this machine sees it. */
  async pid(): Promise<number> {
    const read = async () => Number(await readFile(join(this.#directory, "pid"), "utf8")) || undefined;
    return waitUntil("a process in the container", read, { timeoutMs: 10_000, process: this.#process });
  }

  /** Runs another program in the running container, as `kubectl exec` does. */
  exec(command: readonly string[]): Promise<CommandResult> {
    return runCommand("runc", [`--root=${join(this.#directory, "state")}`, "exec", CONTAINER, ...command]);
  }

  /** Resolves with the exit code. */
  async stop(signal: NodeJS.Signals): Promise<number | null> {
    await runToSuccess("runc", [`--root=${join(this.#directory, "state")}`, "kill", CONTAINER, signal]);
    return this.#process.exited;
  }

  async close(): Promise<void> {
    await runCommand("runc", [`--root=${join(this.#directory, "state")}`, "delete", "--force", CONTAINER]);
    await this.#process.exited;
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** @see https://github.com/opencontainers/runtime-spec/blob/main/config.md */
function runtimeConfig(options: ContainerOptions): object {
  const { image, network, args, command = image.config.Entrypoint, env = {}, mounts = {} } = options;
  const [uid, gid] =
    options.user === undefined ? image.config.User.split(":").map(Number) : [options.user, options.user];
  const capabilities = options.capabilities ?? [];
  const namespaces = ["pid", "ipc", "uts", "mount"].map((type) => ({ type }));
  const binds = Object.entries(mounts).map(([destination, source]) => {
    return { destination, source, type: "bind", options: ["rbind", "rw"] };
  });
  return {
    ociVersion: "1.0.2",
    process: {
      user: { uid, gid },
      cwd: "/",
      args: [...command, ...args],
      env: [...image.config.Env, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)],
      noNewPrivileges: true,
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    },
    root: { path: image.rootfs, readonly: true },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"] },
      ...binds,
    ],
    linux: { namespaces: [...namespaces, { type: "network", path: `/proc/${network.pid}/ns/net` }] },
  };
}
