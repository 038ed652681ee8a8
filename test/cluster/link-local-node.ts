import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { orSkip } from "../e2e/cluster-under-test.ts";
import { NetworkNamespace } from "../support/network-namespace.ts";
import type { CommandResult } from "../support/node/run-command.ts";

const LINK_LOCAL = fileURLToPath(new URL("../../image/link-local", import.meta.url));
/** Where the script puts the agent, unless it is told otherwise. */
export const IPV4 = "169.254.53.53";
export const IPV6 = "fd00:53::53";

/** A test of the script that sets a node up, in a network namespace of its own; skipped as `orSkip` says. */
export function namespaceTest(
  name: string,
  body: (kubeNode: KubeNode, t: TestContext) => Promise<void>,
): void {
  test(name, async (t) => {
    const namespace = await orSkip(t, () => NetworkNamespace.open());
    if (namespace === undefined) return;
    t.after(() => namespace.close());
    await body(new KubeNode(namespace), t);
  });
}

/** A node as the script sees it. */
export class KubeNode {
  readonly namespace: NetworkNamespace;

  constructor(namespace: NetworkNamespace) {
    this.namespace = namespace;
  }

  linkLocal(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
    return this.namespace.run("busybox", ["sh", LINK_LOCAL, ...args], { env: { ...process.env, ...env } });
  }

  /** With these capabilities alone, as in a container that drops all and adds them. */
  withCapabilities(names: readonly string[], args: readonly string[]): Promise<CommandResult> {
    const bounding = ["-all", ...names.map((name) => `+${name}`)].join(",");
    const shell = ["busybox", "sh", LINK_LOCAL, ...args];
    return this.namespace.run("setpriv", [`--bounding-set=${bounding}`, "--inh-caps=-all", "--", ...shell]);
  }

  /** After a change of the file systems that only the script sees; `$$` is its process. */
  after(
    change: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<CommandResult> {
    const command = `${change}; exec busybox sh "$0" "$@"`;
    const isolated = ["--mount", "--", "sh", "-ec", command, LINK_LOCAL, ...args];
    return this.namespace.run("unshare", isolated, { env: { ...process.env, ...env } });
  }

  /** `lo 169.254.53.53/32` and so on, less what every machine has. */
  async addresses(): Promise<string[]> {
    const lines = (await this.namespace.succeed("ip", "-oneline", "address")).trim().split("\n");
    return lines
      .map((line) => line.split(/\s+/))
      .map(([, name, , address]) => `${name} ${address}`)
      .filter((line) => !/ (?:127\.|::1|fe80:)/.test(line));
  }

  async hasInterface(name: string): Promise<boolean> {
    return (await this.namespace.run("ip", ["link", "show", "dev", name])).exitCode === 0;
  }

  /** As good as a dummy interface, on kernels that have none: a bridge without ports that sends no ARP. */
  async makeDummy(name: string): Promise<void> {
    await this.namespace.succeed("ip", "link", "add", name, "type", "bridge");
    await this.namespace.succeed("ip", "link", "set", name, "arp", "off");
  }

  /** Whether this kernel makes dummy interfaces: asked in a namespace of its own. */
  async makesDummies(): Promise<boolean> {
    const probe = await this.namespace.run("unshare", [
      "--net",
      "ip",
      "link",
      "add",
      "probe",
      "type",
      "dummy",
    ]);
    return probe.exitCode === 0;
  }

  read(file: string): Promise<string> {
    return this.namespace.succeed("cat", file).then((text) => text.trim());
  }
}

/** What the script said, when it went well. */
export function lines({ stdout, stderr, exitCode }: CommandResult): string[] {
  assert.equal(exitCode, 0, stderr);
  return stdout
    .trim()
    .split("\n")
    .map((line) => line.replace(/^link-local: /, ""));
}

export function assertRefused({ stdout, stderr, exitCode }: CommandResult, message: string | RegExp): void {
  assert.equal(exitCode, 1, stdout);
  if (typeof message === "string") assert.equal(stderr, `link-local: ${message}\n`);
  else assert.match(stderr, message);
}
