import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test, type TestContext } from "node:test";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { orSkip } from "../e2e/cluster-under-test.ts";
import { startProcess, waitUntil } from "../support/control-plane-process.ts";
import { ImageContainer } from "../support/image-container.ts";
import { NetworkNamespace } from "../support/network-namespace.ts";
import { unpackImage, type UnpackedImage } from "../support/oci-image.ts";
import { buildResolverClients } from "../support/resolver-clients/build.ts";

/** The programs that measure resolvers in pods, against an agent on loopback: what they print, and that they end when told to. */

const HOLDFAST = fileURLToPath(new URL("../../bin/holdfast.cjs", import.meta.url));
const MANIFESTS = fileURLToPath(new URL("../../examples/manifests", import.meta.url));
const SHORT = "web.shop";
const FULL = "web.shop.svc.cluster.local";
const ADDRESS = "10.96.1.10";
const RESOLV_CONF = "nameserver 127.0.0.1\nsearch svc.cluster.local\noptions ndots:2 timeout:1 attempts:2\n";
const RATE = "50";
const LINES = 20;
const LIMIT_MS = 20_000;

const directories: string[] = [];
after(async () => {
  for (const directory of directories) await rm(directory, { recursive: true, force: true });
});

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-resolver-clients-"));
  directories.push(directory);
  return directory;
}

let building: Promise<UnpackedImage> | undefined;

async function image(): Promise<UnpackedImage> {
  building ??= (async () => {
    const archive = await buildResolverClients({ report: (line) => console.log(`# ${line}`) });
    return unpackImage(archive, await temporaryDirectory());
  })();
  return building;
}

/** A pod with an agent at 127.0.0.1:53, or with nothing there. */
class PodUnderTest {
  readonly #image: UnpackedImage;
  readonly #network: NetworkNamespace;
  readonly #resolvConf: string;
  readonly #t: TestContext;

  private constructor(image: UnpackedImage, network: NetworkNamespace, resolvConf: string, t: TestContext) {
    this.#image = image;
    this.#network = network;
    this.#resolvConf = resolvConf;
    this.#t = t;
  }

  static async create(t: TestContext): Promise<PodUnderTest | undefined> {
    const opened = await orSkip(t, async () => [await image(), await NetworkNamespace.open()] as const);
    if (opened === undefined) return undefined;
    t.after(() => opened[1].close());
    const resolvConf = join(await temporaryDirectory(), "resolv.conf");
    await writeFile(resolvConf, RESOLV_CONF);
    return new PodUnderTest(...opened, resolvConf, t);
  }

  async startAgent(): Promise<void> {
    const directory = await temporaryDirectory();
    const places = ["--listen=127.0.0.1:53", `--data-dir=${join(directory, "data")}`];
    const agent = [HOLDFAST, "agent", `--manifests=${MANIFESTS}`, ...places, "--log-format=json"];
    const entering = [`--target=${this.#network.pid}`, "--net", "--", process.execPath, ...agent];
    const started = startProcess("nsenter", entering, { logFile: join(directory, "agent.log") });
    this.#t.after(() => started.kill("SIGTERM"));
    const isReady = async () => {
      const { exitCode } = await this.#network.run(process.execPath, [
        HOLDFAST,
        "lookup",
        "--server=127.0.0.1:53",
        FULL,
      ]);
      return exitCode === 0 ? true : undefined;
    };
    await waitUntil("an answer of the agent", isReady, { timeoutMs: LIMIT_MS, process: started });
  }

  /** Queries find a socket that nobody reads. */
  async dropQueries(): Promise<void> {
    const program = `require("node:dgram").createSocket({ type: "udp4", recvBufferSize: 1 }).bind(53, "127.0.0.1", () => console.log("bound"))`;
    const silent = this.#network.start(process.execPath, ["-e", program]);
    this.#t.after(() => silent.kill("SIGKILL"));
    await once(silent.stdout as Readable, "data");
  }

  /** Lines of a program, which is told to end when it has written some, and is given the time to finish what it has begun. */
  async linesOf<Line>({ lines }: { readonly lines: number }, ...command: readonly string[]): Promise<Line[]> {
    const container = await ImageContainer.start({
      image: this.#image,
      network: this.#network,
      command,
      args: [],
      mounts: { "/etc/resolv.conf": this.#resolvConf },
    });
    try {
      const hasLines = async () => (container.output().split("\n").length > lines ? true : undefined);
      await waitUntil(`${lines} lines of ${command[0]}`, hasLines, { timeoutMs: LIMIT_MS, intervalMs: 20 });
      assert.equal(await container.stop("SIGTERM"), 0, container.output());
      return container
        .output()
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Line);
    } finally {
      await container.close();
    }
  }
}

interface Lookup {
  readonly startMs: number;
  readonly durationMs: number;
  readonly outcome: string;
  readonly address: string | null;
}

const CLIENTS = [
  { command: ["/clients/glibc"], name: SHORT, unknown: "EAI_NONAME", unreachable: "EAI_AGAIN" },
  { command: ["/clients/musl"], name: SHORT, unknown: "EAI_NONAME", unreachable: "EAI_AGAIN" },
  { command: ["/clients/go"], name: SHORT, unknown: "notFound", unreachable: "temporary" },
  { command: ["/clients/node.mjs", "lookup"], name: SHORT, unknown: "ENOTFOUND", unreachable: "EAI_AGAIN" },
  {
    command: ["/clients/node.mjs", "resolve4"],
    name: FULL,
    unknown: "ENOTFOUND",
    unreachable: "ECONNREFUSED",
  },
];

for (const { command, name, unknown, unreachable } of CLIENTS) {
  suite(command.join(" "), () => {
    test("prints a line for each lookup, at the rate that it was given", async (t) => {
      const pod = await PodUnderTest.create(t);
      await pod?.startAgent();
      const lines = (await pod?.linesOf<Lookup>({ lines: LINES }, ...command, RATE, name)) ?? [];
      for (const { outcome, address } of lines)
        assert.deepEqual({ outcome, address }, { outcome: "ok", address: ADDRESS });
      if (lines.length === 0) return;
      const starts = lines.map(({ startMs }) => startMs).sort((left, right) => left - right);
      const perSecond = ((starts.length - 1) / (starts[starts.length - 1] - starts[0])) * 1000;
      assert.ok(perSecond > 25 && perSecond < 100, `${perSecond} a second`);
      assert.ok(Math.abs(Date.now() - starts[0]) < 60_000, "of this clock");
    });

    test("tells a name that does not exist from a server that is not there", async (t) => {
      const pod = await PodUnderTest.create(t);
      const refused = (await pod?.linesOf<Lookup>({ lines: LINES }, ...command, RATE, name)) ?? [];
      for (const { outcome, address } of refused)
        assert.deepEqual({ outcome, address }, { outcome: unreachable, address: null });
      await pod?.startAgent();
      const missing =
        (await pod?.linesOf<Lookup>({ lines: LINES }, ...command, RATE, `missing.${FULL}`)) ?? [];
      for (const { outcome, address } of missing)
        assert.deepEqual({ outcome, address }, { outcome: unknown, address: null });
    });
  });
}

interface Totals {
  readonly sent: number;
  readonly answered: number;
  readonly lost: number;
  readonly refused: number;
  readonly wrong: number;
  readonly longestMs: number;
  readonly final?: boolean;
}

suite("/clients/udp-probe", () => {
  const probe = ["/clients/udp-probe", "127.0.0.1:53", "200"];

  /** The sums of one run, with what the last line is known for left out. */
  async function sumsOf(pod: PodUnderTest, ...names: readonly string[]): Promise<Totals> {
    const lines = await pod.linesOf<Totals>({ lines: 2 }, ...probe, ...names);
    const last = lines[lines.length - 1];
    assert.equal(last.final, true);
    assert.ok(last.sent > 200 && last.sent < 800, `${last.sent} sent in 2 s`);
    return last;
  }

  test("counts right answers and wrong ones", async (t) => {
    const pod = await PodUnderTest.create(t);
    if (pod === undefined) return;
    await pod.startAgent();
    const names = [`${FULL}=${ADDRESS}`, FULL, `${FULL}=10.96.1.11`, `missing.${FULL}`];
    const { sent, answered, lost, refused, wrong, longestMs } = await sumsOf(pod, ...names);
    assert.deepEqual({ answered, lost, refused }, { answered: sent, lost: 0, refused: 0 });
    // The third and the fourth of four.
    assert.equal(wrong, sent - Math.ceil(sent / 4) - Math.ceil((sent - 1) / 4));
    assert.ok(longestMs > 0 && longestMs < 1000);
  });

  test("counts what is refused", async (t) => {
    const pod = await PodUnderTest.create(t);
    if (pod === undefined) return;
    const { sent, answered, lost, refused } = await sumsOf(pod, FULL);
    assert.deepEqual({ answered, lost, refused }, { answered: 0, lost: 0, refused: sent });
  });

  test("gives up on what is lost after a second, and keeps its rate meanwhile", async (t) => {
    const pod = await PodUnderTest.create(t);
    if (pod === undefined) return;
    await pod.dropQueries();
    const lines = await pod.linesOf<Totals>({ lines: 2 }, ...probe, FULL);
    const [, afterTwoSeconds] = lines;
    assert.ok(afterTwoSeconds.lost > 0 && afterTwoSeconds.sent > 200, JSON.stringify(afterTwoSeconds));
    const { sent, answered, lost, refused } = lines[lines.length - 1];
    assert.deepEqual({ answered, lost, refused }, { answered: 0, lost: sent, refused: 0 });
  });
});
