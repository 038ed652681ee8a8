import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import packageJson from "../../package.json" with { type: "json" };
import { buildImage } from "../../scripts/build-image.ts";
import { orSkip, printFigure } from "../e2e/cluster-under-test.ts";
import { usageOf } from "../support/agent-process-usage.ts";
import { waitUntil } from "../support/control-plane-process.ts";
import { ImageContainer, type ContainerOptions } from "../support/image-container.ts";
import { NetworkNamespace } from "../support/network-namespace.ts";
import { runToSuccess } from "../support/node/run-command.ts";
import { unpackImage, type UnpackedImage } from "../support/oci-image.ts";

/** The image that scripts/build-image.ts makes from the Dockerfile, and containers of it as pods have them, without a cluster. */

const NONROOT = 65532;
const NET_BIND_SERVICE = "CAP_NET_BIND_SERVICE";
const NODE_WITH_PORT_53 = "cap_net_bind_service=ep";
const MANIFESTS = fileURLToPath(new URL("../../examples/manifests", import.meta.url));
const PROBE = fileURLToPath(new URL("../support/dns-probe.ts", import.meta.url));
const DATA_DIRECTORY = "/var/lib/holdfast";
const IPV4 = "169.254.53.53";
const IPV6 = "fd00:53::53";
const ANSWER_LIMIT_MS = 20_000;
/** Half more than they are now: what a node pulls, and what it keeps. */
const MAX_COMPRESSED_BYTES = 75 << 20;
const MAX_UNPACKED_BYTES = 200 << 20;

const directories: string[] = [];
after(async () => {
  for (const directory of directories) await rm(directory, { recursive: true, force: true });
});

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-image-"));
  directories.push(directory);
  return directory;
}

let building: Promise<UnpackedImage> | undefined;

async function image(): Promise<UnpackedImage> {
  building ??= (async () => {
    const archive = await buildImage({ report: (line) => console.log(`# ${line}`) });
    return unpackImage(archive, await temporaryDirectory());
  })();
  return building;
}

function imageTest(name: string, body: (image: UnpackedImage, t: TestContext) => Promise<void>): void {
  test(name, async (t) => {
    const built = await orSkip(t, image);
    if (built !== undefined) await body(built, t);
  });
}

/** Paths below a directory, less the directories themselves. */
async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length))
    .sort();
}

suite("the image", () => {
  imageTest("runs the agent, as a user that Kubernetes can tell from root", async ({ config }) => {
    assert.equal(config.User, `${NONROOT}:${NONROOT}`);
    assert.equal(config.Entrypoint[0], "/nodejs/bin/node");
    assert.equal(config.Entrypoint.at(-1), "/app/bin/holdfast.cjs");
    assert.deepEqual(config.Cmd, ["agent"]);
    assert.equal(config.StopSignal, "SIGTERM");
    assert.ok(config.Env.includes("MALLOC_ARENA_MAX=1"));
  });

  imageTest("says what it is", async ({ config }) => {
    const prefix = "org.opencontainers.image.";
    const names = Object.keys(config.Labels).filter((name) => name.startsWith(prefix));
    assert.deepEqual(names.map((name) => name.slice(prefix.length)).sort(), [
      "created",
      "description",
      "documentation",
      "licenses",
      "revision",
      "source",
      "title",
      "url",
      "vendor",
      "version",
    ]);
    assert.equal(config.Labels[`${prefix}version`], packageJson.version);
    assert.equal(config.Labels[`${prefix}licenses`], packageJson.license);
  });

  imageTest("holds what runs, and nothing else", async ({ rootfs }) => {
    const ours = (await filesBelow(rootfs)).filter((file) => /^\/(?:app|busybox|nodejs|bake)\//.test(file));
    assert.deepEqual(
      ours.map((file) => file.replace(/(compile-cache)\/v24[\w.-]+-65532\/[0-9a-f]+$/, "$1/FILE")),
      [
        "/app/LICENSE",
        "/app/bin/holdfast.cjs",
        "/app/dist/agent.cjs",
        "/app/dist/cli.cjs",
        // Of the agent, its sync thread and its manifests, and of the command.
        ...Array.from({ length: 4 }, () => "/app/dist/compile-cache/FILE"),
        ...["credentials-worker", "pino-pretty", "sync-worker", "sync", "yaml"].map(
          (name) => `/app/dist/${name}.cjs`,
        ),
        "/app/package.json",
        ...["busybox", "heartbeat", "holdfast", "link-local", "sh"].map((name) => `/busybox/${name}`),
        "/nodejs/bin/node",
      ],
    );
  });

  imageTest("has one file with a privilege, and none that the agent could change", async ({ rootfs }) => {
    const node = join(rootfs, "nodejs/bin/node");
    const privileged = await runToSuccess("getcap", ["-r", rootfs]);
    assert.equal(privileged.trim(), `${node} ${NODE_WITH_PORT_53}`);
    const writable = ["-perm", "/022", "-o", "-perm", "/7000", "-o", "-not", "-uid", "0"];
    const found = await runToSuccess("find", [rootfs, "-not", "-type", "l", "(", ...writable, ")"]);
    assert.equal(found.trim(), join(rootfs, "tmp"));
  });

  imageTest("is small", async ({ rootfs, compressedBytes }) => {
    const unpackedBytes = Number.parseInt(await runToSuccess("du", ["--bytes", "--summarize", rootfs]), 10);
    const { size } = await stat(join(rootfs, "nodejs/bin/node"));
    printFigure("image, compressed", compressedBytes / 2 ** 20, "MiB");
    printFigure("image, unpacked", unpackedBytes / 2 ** 20, "MiB");
    printFigure("of it Node.js", size / 2 ** 20, "MiB");
    assert.ok(compressedBytes <= MAX_COMPRESSED_BYTES);
    assert.ok(unpackedBytes <= MAX_UNPACKED_BYTES);
  });

  imageTest("built again without a change, is there at once", async () => {
    const startedMs = performance.now();
    await buildImage({ report: (line) => assert.fail(line) });
    assert.ok(performance.now() - startedMs < 2000);
  });
});

/** What containers of a pod share: the network of a node, and a data directory that the kubelet has made. */
class PodUnderTest {
  readonly network: NetworkNamespace;
  readonly data: string;
  readonly #image: UnpackedImage;
  readonly #t: TestContext;

  private constructor(image: UnpackedImage, network: NetworkNamespace, data: string, t: TestContext) {
    this.#image = image;
    this.network = network;
    this.data = data;
    this.#t = t;
  }

  static async create(image: UnpackedImage, t: TestContext): Promise<PodUnderTest> {
    const network = await NetworkNamespace.open();
    t.after(() => network.close());
    const data = join(await temporaryDirectory(), "data");
    await mkdir(data);
    return new PodUnderTest(image, network, data, t);
  }

  /** The init container of the chart: root, with two capabilities. */
  async setUp(): Promise<string> {
    const { exitCode, output } = await ImageContainer.run({
      ...this.#common(),
      command: ["/busybox/link-local"],
      args: ["add", `--own-data-dir=${DATA_DIRECTORY}`],
      user: 0,
      capabilities: ["CAP_NET_ADMIN", "CAP_CHOWN"],
    });
    assert.equal(exitCode, 0, output);
    return output;
  }

  async startAgent(
    listen: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<ImageContainer> {
    const container = await ImageContainer.start({
      ...this.#common(),
      args: ["agent", "--manifests=/manifests", ...listen.map((address) => `--listen=${address}`)],
      capabilities: [NET_BIND_SERVICE],
      env,
    });
    this.#t.after(() => container.close());
    return container;
  }

  run(options: Pick<ContainerOptions, "args" | "capabilities">): ReturnType<typeof ImageContainer.run> {
    return ImageContainer.run({ ...this.#common(), ...options });
  }

  #common(): Pick<ContainerOptions, "image" | "network" | "mounts"> {
    const mounts = { [DATA_DIRECTORY]: this.data, "/manifests": MANIFESTS };
    return { image: this.#image, network: this.network, mounts };
  }
}

/** Milliseconds from the start of a container to the first right answer at 127.0.0.1:53, asked for on the node. */
async function firstAnswerMs(network: NetworkNamespace, container: ImageContainer): Promise<number> {
  const program = `
    import { untilFirstAnswer } from ${JSON.stringify(PROBE)};
    await untilFirstAnswer({
      port: 53,
      qname: "web.shop.svc.cluster.local",
      qtype: "A",
      isRight: ({ rcode, answers }) => rcode === "NOERROR" && JSON.stringify(answers).includes("10.96.1.10"),
      startedAtMs: 0,
      timeoutMs: ${ANSWER_LIMIT_MS},
    });
    console.log(performance.timeOrigin + performance.now());`;
  const answeredAtMs = Number(
    await network.succeed(process.execPath, "--input-type=module", "--eval", program),
  );
  return answeredAtMs - performance.timeOrigin - container.startedAtMs;
}

suite("a container of the image", () => {
  imageTest(
    "answers on port 53 of the node's addresses, which an init container has made",
    async (built, t) => {
      const pod = await PodUnderTest.create(built, t);
      const said = await pod.setUp();
      assert.match(said, /fd00:53::53 is an address of \w+ now/);
      const agent = await pod.startAgent(["127.0.0.1:53", `${IPV4}:53`, `[${IPV6}]:53`]);
      printFigure(
        "runc run to first answer, example manifests",
        await firstAnswerMs(pod.network, agent),
        "ms",
      );
      printFigure("RSS, example manifests", usageOf(await agent.pid()).rssBytes / 2 ** 20, "MiB");
      for (const server of [`${IPV4}:53`, `[${IPV6}]:53`]) {
        const lookup = ["holdfast", "lookup", `--server=${server}`, "web.shop.svc.cluster.local", "A"];
        const { stdout, stderr } = await agent.exec(lookup);
        assert.match(stdout, /IN A 10\.96\.1\.10\n/, stderr);
      }
      // It is not root, and wrote where it may.
      const hasSnapshot = async () => ((await readdir(pod.data)).length > 0 ? true : undefined);
      await waitUntil("a snapshot", hasSnapshot, { timeoutMs: ANSWER_LIMIT_MS });
      const { stdout: identity } = await agent.exec(["/busybox/busybox", "id", "-u"]);
      assert.equal(identity, `${NONROOT}\n`);
      assert.equal(await agent.stop("SIGTERM"), 0, agent.output());
    },
  );

  imageTest("uses the code that was compiled when the image was made", async (built, t) => {
    const pod = await PodUnderTest.create(built, t);
    const agent = await pod.startAgent(["127.0.0.1:53"], { NODE_DEBUG_NATIVE: "COMPILE_CACHE" });
    await firstAnswerMs(pod.network, agent);
    await agent.stop("SIGTERM");
    const accepted = agent.output().match(/V8 code cache for CommonJS \S+ was accepted/g) ?? [];
    const files = accepted.map((line) => /\/app\/dist\/(\S+)/.exec(line)?.[1] ?? line);
    assert.deepEqual(files.sort(), ["agent.cjs", "sync.cjs", "yaml.cjs"], agent.output());
  });

  imageTest("tells a probe whether a file is fresh", async (built, t) => {
    const pod = await PodUnderTest.create(built, t);
    await pod.setUp();
    const agent = await pod.startAgent(["127.0.0.1:53"]);
    await firstAnswerMs(pod.network, agent);
    const touched = join(DATA_DIRECTORY, "touched");
    assert.equal((await agent.exec(["/busybox/busybox", "touch", touched])).exitCode, 0);
    assert.equal((await agent.exec(["/busybox/heartbeat", touched, "60"])).exitCode, 0);
    const old = await agent.exec(["/busybox/heartbeat", "/app/package.json", "60"]);
    assert.equal(old.exitCode, 1);
    assert.match(
      old.stderr,
      /^heartbeat: \/app\/package\.json was touched \d+ s ago, and 60 s is the limit\n/,
    );
  });

  imageTest("needs the capability to bind port 53, whatever its port is", async (built, t) => {
    const pod = await PodUnderTest.create(built, t);
    const { exitCode, output } = await pod.run({ args: ["--version"] });
    assert.equal(exitCode, 1);
    assert.match(output, /\/nodejs\/bin\/node: operation not permitted/);
    const allowed = await pod.run({ args: ["--version"], capabilities: [NET_BIND_SERVICE] });
    assert.deepEqual(allowed, { exitCode: 0, output: `holdfast ${packageJson.version}\n` });
  });
});
