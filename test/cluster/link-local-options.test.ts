import assert from "node:assert/strict";
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, type TestContext } from "node:test";
import { NetworkNamespace } from "../support/network-namespace.ts";
import { assertRefused, IPV4, IPV6, lines, namespaceTest } from "./link-local-node.ts";

/** What the set-up of a node does besides its addresses: the limit of ICMP errors, and the owner of the data directory. */

const RATEMASK = "/proc/sys/net/ipv4/icmp_ratemask";
const RATEMASK_V6 = "/proc/sys/net/ipv6/icmp/ratemask";
/** Of the kernel (icmp(7); net/ipv6/icmp.c): all errors are limited, except Packet Too Big. */
const DEFAULT_RATEMASK = "6168";
const DEFAULT_RATEMASK_V6 = "0-1,3-127";
/** Far more than the kernel answers in a burst. */
const QUERIES = 20;
const AGENT = 65532;

function becameUnlimited(version: string, file: string, mask: string): string {
  return `ICMP${version} Destination Unreachable is unlimited now (${file} is ${mask})`;
}

function becameLimited(version: string, file: string, mask: string): string {
  return `ICMP${version} Destination Unreachable is limited now (${file} is ${mask})`;
}

suite("link-local --lift-icmp-limit", () => {
  namespaceTest("takes Destination Unreachable out of both masks; remove puts it back", async (kubeNode) => {
    const args = ["--interface=lo", "--lift-icmp-limit"];
    assert.deepEqual(lines(await kubeNode.linkLocal(["add", ...args])).slice(2), [
      becameUnlimited("", RATEMASK, "6160"),
      becameUnlimited("v6", RATEMASK_V6, "0,3-127"),
    ]);
    assert.deepEqual([await kubeNode.read(RATEMASK), await kubeNode.read(RATEMASK_V6)], ["6160", "0,3-127"]);
    assert.deepEqual(lines(await kubeNode.linkLocal(["add", ...args])).slice(2), [
      `ICMP Destination Unreachable is unlimited already (${RATEMASK} is 6160)`,
      `ICMPv6 Destination Unreachable is unlimited already (${RATEMASK_V6} is 0,3-127)`,
    ]);
    assert.deepEqual(lines(await kubeNode.linkLocal(["remove", ...args])).slice(2), [
      becameLimited("", RATEMASK, DEFAULT_RATEMASK),
      becameLimited("v6", RATEMASK_V6, DEFAULT_RATEMASK_V6),
    ]);
    assert.equal(await kubeNode.read(RATEMASK), DEFAULT_RATEMASK);
    assert.equal(await kubeNode.read(RATEMASK_V6), DEFAULT_RATEMASK_V6);
  });

  namespaceTest("keeps whatever else a node has in its masks", async (kubeNode) => {
    const args = ["--interface=lo", "--lift-icmp-limit"];
    // The kernel writes what it was given in its own way, so each mask is read back before it is compared.
    for (const [mask, lifted, restored] of [
      ["0-127", "0,2-127", "0-127"],
      ["1", "", "1"],
      ["0-2", "0,2", "0-2"],
      ["1,4,128-255", "4,128-255", "1,4,128-255"],
      ["2-3", "2-3", "1-3"],
      ["", "", "1"],
    ]) {
      await kubeNode.namespace.succeed("sh", "-c", `echo "${mask}" >${RATEMASK_V6}; echo 0 >${RATEMASK}`);
      lines(await kubeNode.linkLocal(["add", ...args]));
      assert.deepEqual([await kubeNode.read(RATEMASK), await kubeNode.read(RATEMASK_V6)], ["0", lifted]);
      lines(await kubeNode.linkLocal(["remove", ...args]));
      assert.deepEqual([await kubeNode.read(RATEMASK), await kubeNode.read(RATEMASK_V6)], ["8", restored]);
    }
  });

  namespaceTest("says what it cannot do, and the addresses are there all the same", async (kubeNode, t) => {
    const directory = await mkdtemp(join(tmpdir(), "holdfast-ratemask-"));
    t.after(() => rm(directory, { recursive: true, force: true }));
    const files = { ICMP_RATEMASK_FILE: join(directory, "v4"), ICMPV6_RATEMASK_FILE: join(directory, "v6") };
    const args = ["add", "--interface=lo", "--lift-icmp-limit"];
    const missing = await kubeNode.linkLocal(args, files);
    assert.equal(missing.exitCode, 0);
    assert.deepEqual(missing.stderr.trim().split("\n"), [
      `link-local: there is no ${directory}/v4 to read: ICMP Destination Unreachable stays as it is`,
      `link-local: there is no ${directory}/v6 to read: ICMPv6 Destination Unreachable stays as it is`,
    ]);
    await writeFile(files.ICMP_RATEMASK_FILE, DEFAULT_RATEMASK);
    await writeFile(files.ICMPV6_RATEMASK_FILE, DEFAULT_RATEMASK_V6);
    const readOnly = await kubeNode.after(
      `mount --bind ${directory} ${directory}; mount -o remount,bind,ro ${directory}`,
      args,
      files,
    );
    assert.equal(readOnly.exitCode, 0);
    const remedy = "Is the file mounted from the host, and writable?";
    assert.deepEqual(readOnly.stderr.trim().split("\n"), [
      `link-local: cannot write 6160 to ${directory}/v4, so this has no effect: ICMP Destination Unreachable is unlimited. ${remedy}`,
      `link-local: cannot write 0,3-127 to ${directory}/v6, so this has no effect: ICMPv6 Destination Unreachable is unlimited. ${remedy}`,
    ]);
    assert.deepEqual(await kubeNode.addresses(), [`lo ${IPV4}/32`, `lo ${IPV6}/128`]);
  });

  namespaceTest("tells a pod each time that nobody listens, instead of some times", async (kubeNode, t) => {
    const pod = await NetworkNamespace.open();
    t.after(() => pod.close());
    await joinPod(kubeNode.namespace, pod);
    lines(await kubeNode.linkLocal(["add", "--interface=lo"]));
    for (const address of [IPV4, IPV6]) {
      const before = await refusals(pod, address);
      assert.ok(before > 0 && before < QUERIES, `${address}: ${before} of ${QUERIES}, limited`);
    }
    lines(await kubeNode.linkLocal(["add", "--lift-icmp-limit"]));
    for (const address of [IPV4, IPV6])
      assert.equal(await refusals(pod, address), QUERIES, `${address}, unlimited`);
  });
});

/** A pair of interfaces between a node and a pod, which has the node as its way to everywhere. */
async function joinPod(node: NetworkNamespace, pod: NetworkNamespace): Promise<void> {
  await node.succeed(
    "ip",
    "link",
    "add",
    "pod0",
    "type",
    "veth",
    "peer",
    "name",
    "eth0",
    "netns",
    String(pod.pid),
  );
  for (const [namespace, name, ipv4, ipv6] of [
    [node, "pod0", "10.244.0.1/24", "fd00:244::1/64"],
    [pod, "eth0", "10.244.0.2/24", "fd00:244::2/64"],
  ] as const) {
    await namespace.succeed("ip", "address", "add", ipv4, "dev", name);
    await namespace.succeed("ip", "address", "add", ipv6, "dev", name, "nodad");
    await namespace.succeed("ip", "link", "set", name, "up");
  }
  await pod.succeed("ip", "route", "add", "default", "via", "10.244.0.1");
  await pod.succeed("ip", "-6", "route", "add", "default", "via", "fd00:244::1");
}

/** How many of `QUERIES` datagrams to port 53 of an address are refused, each within 200 ms. */
async function refusals(pod: NetworkNamespace, address: string): Promise<number> {
  const program = `
    const socket = require("node:dgram").createSocket("${address.includes(":") ? "udp6" : "udp4"}");
    let sent = 0, refused = 0, timer;
    const next = () => {
      clearTimeout(timer);
      if (sent++ === ${QUERIES}) return console.log(refused), socket.close();
      timer = setTimeout(next, 200);
      socket.send("?", () => {});
    };
    socket.on("error", () => { refused++; next(); });
    socket.connect(53, "${address}", next);`;
  return Number(await pod.succeed(process.execPath, "-e", program));
}

async function dataDirectory(t: TestContext): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), "holdfast-data-"));
  t.after(() => rm(parent, { recursive: true, force: true }));
  // Others must be able to come by, as under /var/lib.
  await chmod(parent, 0o755);
  const directory = join(parent, "data");
  await mkdir(directory);
  await writeFile(join(directory, "snapshot"), "kept");
  return directory;
}

async function ownership(directory: string): Promise<string> {
  const { uid, gid, mode } = await stat(directory);
  return `${uid}:${gid} ${(mode & 0o7777).toString(8)}`;
}

suite("link-local --own-data-dir", () => {
  const args = ["add", "--ipv4=", "--ipv6="];

  namespaceTest(
    "gives the directory to the agent, with CHOWN alone, and once is enough",
    async (kubeNode, t) => {
      const directory = await dataDirectory(t);
      const own = [...args, `--own-data-dir=${directory}`];
      const first = lines(await kubeNode.withCapabilities(["chown"], own));
      assert.deepEqual(first, [`${directory} belongs to 65532:65532 now`]);
      assert.equal(await ownership(directory), "65532:65532 750");
      const second = lines(await kubeNode.withCapabilities(["chown"], own));
      assert.deepEqual(second, [`${directory} belongs to 65532:65532 already`]);
      assert.equal(await readFile(join(directory, "snapshot"), "utf8"), "kept");
    },
  );

  namespaceTest("repairs a mode that others could read by", async (kubeNode, t) => {
    const directory = await dataDirectory(t);
    await chown(directory, AGENT, AGENT);
    await chmod(directory, 0o777);
    lines(await kubeNode.withCapabilities(["chown"], [...args, "--own-data-dir", directory]));
    assert.equal(await ownership(directory), "65532:65532 750");
  });

  namespaceTest("says which capability it lacks, and what is no directory", async (kubeNode, t) => {
    const directory = await dataDirectory(t);
    const refused = await kubeNode.withCapabilities(["net_admin"], [...args, `--own-data-dir=${directory}`]);
    assertRefused(
      refused,
      /^link-local: cannot give \S+ to 65532:65532 \(.*Operation not permitted\): the capability CHOWN is needed, and a file system that can be written\n$/,
    );
    const file = join(directory, "snapshot");
    const missing = await kubeNode.linkLocal([...args, `--own-data-dir=${file}`]);
    assertRefused(missing, `--own-data-dir is ${file}, which is no directory`);
  });
});
