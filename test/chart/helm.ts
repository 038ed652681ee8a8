import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import { provideAssets } from "../../scripts/build-assets.ts";
import { ROOT } from "../arch/source-imports.ts";
import { orSkip } from "../e2e/cluster-under-test.ts";

export const CHART = join(ROOT, "charts/holdfast");
export const RELEASE = "holdfast";
export const NAMESPACE = "holdfast";
/** What the renders are made for, whatever version the Helm of the machine would assume. */
const KUBERNETES_VERSION = "1.37.2";
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** The values files of `ci`, which name the ways to use the chart: `default`, `service` and so on. */
export const PRESETS: readonly string[] = readdirSync(join(CHART, "ci"))
  .map((file) => file.replace(/-values\.yaml$/, ""))
  .sort();

/** What every object has, and the fields that tests look at. */
export interface RenderedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

export interface RenderOptions {
  /** One of `PRESETS`. */
  readonly preset?: string;
  /** As `--set-json` takes them: `mode="service"`. */
  readonly set?: readonly string[];
  readonly kubernetesVersion?: string;
  /** Only these templates, as paths in the chart. */
  readonly templates?: readonly string[];
}

/** The chart as the real Helm sees it, without a cluster. */
export class Helm {
  readonly #program: string;
  readonly #home: string;

  constructor(program: string, home: string) {
    this.#program = program;
    this.#home = home;
  }

  /** @throws {Error} Helm refuses: the message is its own. */
  async template(options: RenderOptions = {}): Promise<string> {
    const { kubernetesVersion = KUBERNETES_VERSION, templates = [] } = options;
    return await this.#run([
      "template",
      RELEASE,
      CHART,
      `--namespace=${NAMESPACE}`,
      `--kube-version=${kubernetesVersion}`,
      ...templates.map((path) => `--show-only=${path}`),
      ...valueFlags(options),
    ]);
  }

  async render(options: RenderOptions = {}): Promise<RenderedObject[]> {
    return parseAllDocuments(await this.template(options))
      .map((document) => document.toJS() as RenderedObject | null)
      .filter((object) => object !== null);
  }

  /** What people read after `helm install`. */
  async notes(options: RenderOptions): Promise<string> {
    const args = ["install", RELEASE, CHART, `--namespace=${NAMESPACE}`, "--dry-run=client"];
    const output = await this.#run([...args, ...valueFlags(options)]);
    return output.slice(output.indexOf("NOTES:"));
  }

  /** What Helm answers to values that it must refuse. */
  async refusal(options: RenderOptions): Promise<string> {
    try {
      await this.template(options);
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error(`Helm accepted ${JSON.stringify(options)}`);
  }

  /** @returns The findings; empty for none. */
  async lint(options: RenderOptions): Promise<string> {
    const version = `--kube-version=${KUBERNETES_VERSION}`;
    return await this.#run(["lint", CHART, "--strict", "--quiet", version, ...valueFlags(options)]);
  }

  async #run(args: readonly string[]): Promise<string> {
    // Settings and plugins of the person who runs the tests must not change what they find.
    const env = {
      ...process.env,
      HELM_CACHE_HOME: this.#home,
      HELM_CONFIG_HOME: this.#home,
      HELM_DATA_HOME: this.#home,
    };
    const { stdout } = await promisify(execFile)(this.#program, args, { env, maxBuffer: MAX_OUTPUT_BYTES });
    return stdout;
  }
}

function valueFlags({ preset, set = [] }: RenderOptions): string[] {
  const file = preset === undefined ? [] : [`--values=${join(CHART, "ci", `${preset}-values.yaml`)}`];
  return [...file, ...set.map((assignment) => `--set-json=${assignment}`)];
}

/** Undefined, and the test skipped loudly, where there is no Helm and none can be built; in CI that is a failure. */
export async function openHelm(t: TestContext): Promise<Helm | undefined> {
  const programs = await orSkip(t, () => provideAssets(["helm"], (line) => console.log(`# ${line}`)));
  if (programs === undefined) return undefined;
  const home = await mkdtemp(join(tmpdir(), "holdfast-helm-"));
  t.after(() => rm(home, { recursive: true, force: true }));
  return new Helm(programs.helm, home);
}
