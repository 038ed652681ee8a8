import assert from "node:assert/strict";
import { suite } from "node:test";
import { assertRefused, IPV4, IPV6, lines, namespaceTest } from "./link-local-node.ts";

/** The addresses of a node, in network namespaces that are ours: what the init container of an agent does. */

suite("link-local add", () => {
  namespaceTest(
    "puts both addresses on a dummy interface, or on lo where the kernel has none",
    async (kubeNode) => {
      const isDummy = await kubeNode.makesDummies();
      const device = isDummy ? "holdfast0" : "lo";
      const [first, ...rest] = lines(await kubeNode.linkLocal(["add"]));
      const made = "made the dummy interface holdfast0";
      const fallback =
        "this kernel makes no dummy interface (ip: RTNETLINK answers: Operation not supported), so lo gets the addresses";
      assert.equal(first, isDummy ? made : fallback);
      assert.deepEqual(rest, [
        `${IPV4} is an address of ${device} now`,
        `${IPV6} is an address of ${device} now`,
      ]);
      assert.deepEqual(await kubeNode.addresses(), [`${device} ${IPV4}/32`, `${device} ${IPV6}/128`]);
    },
  );

  namespaceTest("a second time changes nothing", async (kubeNode) => {
    await kubeNode.linkLocal(["add"]);
    const before = await kubeNode.namespace.succeed("ip", "address");
    const [ipv4, ipv6] = lines(await kubeNode.linkLocal(["add"]));
    assert.match(ipv4, /^169\.254\.53\.53 is an address of \w+ already$/);
    assert.match(ipv6, /^fd00:53::53 is an address of \w+ already$/);
    assert.equal(await kubeNode.namespace.succeed("ip", "address"), before);
  });

  namespaceTest("uses the interface where it exists, and brings it up", async (kubeNode) => {
    await kubeNode.makeDummy("dns0");
    assert.deepEqual(lines(await kubeNode.linkLocal(["add", "--interface=dns0"])), [
      `${IPV4} is an address of dns0 now`,
      `${IPV6} is an address of dns0 now`,
    ]);
    assert.match(await kubeNode.namespace.succeed("ip", "link", "show", "dev", "dns0"), /[<,]UP[,>]/);
  });

  namespaceTest("leaves an address where it is, on the interface or on lo", async (kubeNode) => {
    await kubeNode.namespace.succeed("ip", "address", "add", `${IPV4}/32`, "dev", "lo");
    await kubeNode.makeDummy("holdfast0");
    assert.deepEqual(lines(await kubeNode.linkLocal(["add"])), [
      `${IPV4} is an address of lo already`,
      `${IPV6} is an address of holdfast0 now`,
    ]);
    assert.deepEqual(await kubeNode.addresses(), [`lo ${IPV4}/32`, `holdfast0 ${IPV6}/128`]);
  });

  namespaceTest("takes other addresses, in any spelling, or none", async (kubeNode) => {
    const other = ["add", "--interface", "lo", "--ipv4", "169.254.1.2", "--ipv6", "FD00:1:0:0:0:0:0:2"];
    assert.deepEqual(lines(await kubeNode.linkLocal(other)), [
      "169.254.1.2 is an address of lo now",
      "FD00:1:0:0:0:0:0:2 is an address of lo now",
    ]);
    assert.match(lines(await kubeNode.linkLocal(other))[1], /already$/);
    assert.deepEqual(lines(await kubeNode.linkLocal(["add", "--ipv4=", "--ipv6="])), [""]);
    assert.deepEqual(await kubeNode.addresses(), ["lo 169.254.1.2/32", "lo fd00:1::2/128"]);
  });

  namespaceTest("refuses an address that something else has, and changes nothing", async (kubeNode) => {
    for (const [address, prefixed] of [
      [IPV4, `${IPV4}/24`],
      [IPV6, `${IPV6}/64`],
    ]) {
      await kubeNode.namespace.succeed("ip", "link", "add", "other", "type", "bridge");
      await kubeNode.namespace.succeed("ip", "address", "add", prefixed, "dev", "other");
      assertRefused(
        await kubeNode.linkLocal(["add"]),
        `${address} is an address of other already, so something else on this node uses it: choose another address, or free this one`,
      );
      assert.deepEqual(await kubeNode.addresses(), [`other ${prefixed}`]);
      assert.equal(await kubeNode.hasInterface("holdfast0"), false);
      await kubeNode.namespace.succeed("ip", "link", "delete", "other");
    }
  });

  namespaceTest("refuses an interface that could carry the addresses out of the node", async (kubeNode) => {
    await kubeNode.namespace.succeed("ip", "link", "add", "uplink", "type", "bridge");
    assertRefused(
      await kubeNode.linkLocal(["add", "--interface=uplink"]),
      "the interface uplink exists and is no dummy interface: choose another name",
    );
  });

  namespaceTest("goes on with IPv4 on a kernel without IPv6, or where IPv6 is off", async (kubeNode) => {
    const without = lines(
      await kubeNode.after("mount -t tmpfs none /proc/$$/net", ["add", "--interface=lo"]),
    );
    assert.deepEqual(without, [
      `this kernel has no IPv6: going on without ${IPV6}`,
      `${IPV4} is an address of lo now`,
    ]);
    await kubeNode.namespace.succeed("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/lo/disable_ipv6");
    assert.deepEqual(lines(await kubeNode.linkLocal(["add", "--interface=lo"])), [
      `${IPV4} is an address of lo already`,
      `IPv6 is disabled on lo: going on without ${IPV6}`,
    ]);
  });

  namespaceTest("says which capability it lacks", async (kubeNode) => {
    assertRefused(
      await kubeNode.withCapabilities([], ["add"]),
      /^link-local: cannot make the interface holdfast0 \(.*Operation not permitted\): the capability NET_ADMIN is needed\n$/,
    );
    assertRefused(
      await kubeNode.withCapabilities([], ["add", "--interface=lo"]),
      /^link-local: cannot add 169\.254\.53\.53 to lo \(.*Operation not permitted\): the capability NET_ADMIN is needed\n$/,
    );
    lines(await kubeNode.withCapabilities(["net_admin"], ["add"]));
  });

  namespaceTest("does not make the node speak from the addresses", async (kubeNode) => {
    // The node's uplink, and a pod's interface without an address: Linux looks for a source elsewhere, and at lo first.
    for (const [name, addresses] of [
      ["uplink", ["192.0.2.1/24", "2001:db8::1/64"]],
      ["pod", []],
    ] as const) {
      await kubeNode.makeDummy(name);
      await kubeNode.namespace.succeed("ip", "link", "set", name, "up");
      for (const address of addresses)
        await kubeNode.namespace.succeed("ip", "address", "add", address, "dev", name);
    }
    await kubeNode.namespace.succeed("ip", "route", "add", "10.244.0.9/32", "dev", "pod");
    await kubeNode.namespace.succeed("ip", "-6", "route", "add", "fd00:244::9/128", "dev", "pod");
    lines(await kubeNode.linkLocal(["add", "--interface=lo"]));
    assert.match(await kubeNode.namespace.succeed("ip", "route", "get", "10.244.0.9"), / src 192\.0\.2\.1 /);
    assert.match(await kubeNode.namespace.succeed("ip", "route", "get", "fd00:244::9"), / src 2001:db8::1 /);
  });
});

suite("link-local remove", () => {
  namespaceTest("undoes what add did, and a second time nothing is left to do", async (kubeNode) => {
    const before = await kubeNode.namespace.succeed("ip", "address");
    await kubeNode.linkLocal(["add"]);
    const removed = lines(await kubeNode.linkLocal(["remove"]));
    assert.match(removed[0], /^removed 169\.254\.53\.53 from \w+$/);
    assert.match(removed[1], /^removed fd00:53::53 from \w+$/);
    assert.equal(await kubeNode.namespace.succeed("ip", "address"), before);
    assert.deepEqual(lines(await kubeNode.linkLocal(["remove"])), [""]);
  });

  namespaceTest("removes its interface, except with addresses of others", async (kubeNode) => {
    await kubeNode.makeDummy("holdfast0");
    await kubeNode.linkLocal(["add"]);
    await kubeNode.namespace.succeed("ip", "address", "add", "192.0.2.9/32", "dev", "holdfast0");
    assert.deepEqual(lines(await kubeNode.linkLocal(["remove"])), [
      `removed ${IPV4} from holdfast0`,
      `removed ${IPV6} from holdfast0`,
      "the interface holdfast0 stays: it has other addresses",
    ]);
    assert.deepEqual(await kubeNode.addresses(), ["holdfast0 192.0.2.9/32"]);
    await kubeNode.namespace.succeed("ip", "address", "delete", "192.0.2.9/32", "dev", "holdfast0");
    assert.deepEqual(lines(await kubeNode.linkLocal(["remove"])), ["removed the interface holdfast0"]);
    assert.equal(await kubeNode.hasInterface("holdfast0"), false);
  });

  namespaceTest("leaves alone what is not ours", async (kubeNode) => {
    await kubeNode.namespace.succeed("ip", "link", "add", "uplink", "type", "bridge");
    await kubeNode.namespace.succeed("ip", "address", "add", `${IPV4}/24`, "dev", "uplink");
    assert.deepEqual(lines(await kubeNode.linkLocal(["remove"])), [""]);
    assert.deepEqual(await kubeNode.addresses(), [`uplink ${IPV4}/24`]);
    // What it removes from, it would not have added to.
    await kubeNode.linkLocal(["remove", "--interface=uplink", "--ipv4=169.254.1.1"]);
    assert.equal(await kubeNode.hasInterface("uplink"), true);
  });
});

function needsAddress(version: string): string {
  return `has to be an IPv${version} address without a prefix length`;
}

suite("link-local, called wrongly", () => {
  const help = '"link-local --help" lists what is accepted';
  const name = "has to be 1 to 15 letters, digits, underscores, dots or dashes";
  for (const [args, problem] of [
    [[], 'the first argument is "", and has to be add or remove'],
    [["up"], 'the first argument is "up", and has to be add or remove'],
    [["add", "--ipv5=1"], '"--ipv5" is unknown'],
    [["add", "now"], '"now" is unknown, or lacks its value'],
    [["add", "--ipv4"], '"--ipv4" is unknown, or lacks its value'],
    [["add", "--interface="], `--interface is "", and ${name}`],
    [["add", "--interface=a/b"], `--interface is "a/b", and ${name}`],
    [["add", "--interface=sixteen-letters-"], `--interface is "sixteen-letters-", and ${name}`],
    ...["169.254.53", "169.254.53.53.1", "169.254.53.256", "169.254.53.53/32", IPV6, "one"].map(
      (text) => [["add", `--ipv4=${text}`], `--ipv4 is "${text}", and ${needsAddress("4")}`] as const,
    ),
    ...["fd00::53::53", "1:2:3:4:5:6:7:8:9", "fd00:53::53/128", IPV4, "one"].map(
      (text) => [["add", `--ipv6=${text}`], `--ipv6 is "${text}", and ${needsAddress("6")}`] as const,
    ),
  ] as const) {
    namespaceTest(`says what is accepted: ${args.join(" ")}`, async (kubeNode) => {
      const result = await kubeNode.linkLocal(args);
      assert.deepEqual(result, { stdout: "", stderr: `link-local: ${problem}; ${help}\n`, exitCode: 2 });
    });
  }

  namespaceTest("--help shows every option", async (kubeNode) => {
    const { stdout, exitCode } = await kubeNode.linkLocal(["--help"]);
    assert.equal(exitCode, 0);
    const options = Array.from(stdout.matchAll(/^ {2}(--[\w-]+)/gm), ([, option]) => option);
    assert.deepEqual(options, ["--interface", "--ipv4", "--ipv6", "--lift-icmp-limit", "--own-data-dir"]);
  });
});
