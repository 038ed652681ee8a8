import type { TestContext } from "node:test";
import { provideAssets } from "../../scripts/build-assets.ts";
import { orSkip } from "../e2e/cluster-under-test.ts";
import { runToSuccess } from "../support/node/run-command.ts";

/** Fields that the API server does not know are an error. */
const DRY_RUN = ["create", "--dry-run=server", "--validate=strict", "--filename=-"];

/** The `kubectl` of the machine, as one user of one cluster. */
export class Kubectl {
  readonly #program: string;
  readonly #kubeconfig: string;

  constructor(program: string, kubeconfig: string) {
    this.#program = program;
    this.#kubeconfig = kubeconfig;
  }

  /** @throws {Error} It failed: the message has what it wrote. */
  async run(args: readonly string[], stdin = ""): Promise<string> {
    return await runToSuccess(this.#program, [`--kubeconfig=${this.#kubeconfig}`, ...args], { stdin });
  }

  /** Stores an object or a text of several. */
  async apply(manifest: object | string): Promise<void> {
    await this.run(["apply", "--server-side", "--filename=-"], toText(manifest));
  }

  /** What the API server would store, after admission. */
  async dryRun<T>(object: object): Promise<T> {
    return JSON.parse(await this.run([...DRY_RUN, "--output=json"], toText(object))) as T;
  }

  /** The same for several: the kinds and names of those that it would store. */
  async dryRunAll(items: readonly object[]): Promise<string[]> {
    if (items.length === 0) return [];
    const list = { apiVersion: "v1", kind: "List", items };
    return (await this.run([...DRY_RUN, "--output=name"], toText(list))).trim().split("\n");
  }

  /** A Namespace with what a controller would put into it: pods are refused without their ServiceAccount. */
  async createNamespace(name: string, labels: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
    await this.apply({
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { namespace: name, name: "default" },
    });
  }
}

function toText(manifest: object | string): string {
  return typeof manifest === "string" ? manifest : JSON.stringify(manifest);
}

/** Undefined, and the test skipped loudly, where there is none and none can be built; in CI that is a failure. */
export async function openKubectl(t: TestContext, kubeconfig: string): Promise<Kubectl | undefined> {
  const programs = await orSkip(t, () => provideAssets(["kubectl"], (line) => console.log(`# ${line}`)));
  return programs === undefined ? undefined : new Kubectl(programs.kubectl, kubeconfig);
}
