import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { AgentConfig } from "../../../src/config/agent-config.ts";
import type { ConfigOutcome } from "../../../src/config/load.ts";
import { loadConfig } from "../../../src/config/load.ts";

interface Given {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly file?: string;
  readonly isTerminal?: boolean;
}

function load({ args = [], env = {}, file, isTerminal = false }: Given): Promise<ConfigOutcome> {
  const readText = (path: string): Promise<string> =>
    file === undefined
      ? Promise.reject(
          Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: "ENOENT" }),
        )
      : Promise.resolve(file);
  const fileArgs = file === undefined ? [] : ["--config", "holdfast.yaml"];
  return loadConfig({ args: [...fileArgs, ...args], env, isTerminal, readText });
}

async function configOf(given: Given): Promise<AgentConfig> {
  const loaded = await load(given);
  assert.equal(loaded.outcome, "config", JSON.stringify(loaded));
  assert.ok(loaded.outcome === "config");
  return loaded.config;
}

async function messageOf(given: Given): Promise<string> {
  const loaded = await load(given);
  assert.ok(loaded.outcome === "invalid", JSON.stringify(loaded));
  assert.equal(loaded.message.split("\n").length, 1, "one line");
  return loaded.message;
}

suite("loadConfig() precedence", () => {
  test("gives the documented defaults when nothing is set", async () => {
    assert.deepEqual(await configOf({}), {
      source: "kubernetes",
      kubeconfig: undefined,
      context: undefined,
      manifests: undefined,
      listen: [{ family: 4, address: "127.0.0.1", port: 5353 }],
      admin: [{ type: "tcp", address: { family: 4, address: "127.0.0.1", port: 9853 } }],
      heartbeatDir: undefined,
      dataDir: "/var/lib/holdfast",
      zones: ["cluster.local"],
      endpoints: "headless",
      ttlSeconds: 5,
      pods: "insecure",
      logLevel: "info",
      logFormat: "json",
    });
  });

  test("takes a flag before the environment before the file before the default", async () => {
    const env = { HOLDFAST_TTL: "20", HOLDFAST_PODS: "disabled" };
    const file = "ttl: 10\npods: insecure\nendpoints: all\n";
    const config = await configOf({ args: ["--ttl", "30"], env, file });
    assert.deepEqual([config.ttlSeconds, config.pods, config.endpoints], [30, "disabled", "all"]);
    assert.equal((await configOf({ env, file })).ttlSeconds, 20);
    assert.equal((await configOf({ file })).ttlSeconds, 10);
  });

  test("takes a repeatable option whole from the strongest place", async () => {
    const env = { HOLDFAST_ZONE: "one.local, two.local" };
    const file = "zone: [three.local]\nlisten:\n  - 127.0.0.1:53\n  - '[::1]:53'\n";
    assert.deepEqual((await configOf({ env, file })).zones, ["one.local", "two.local"]);
    assert.deepEqual((await configOf({ args: ["--zone=a.local", "--zone", "b.local"], env, file })).zones, [
      "a.local",
      "b.local",
    ]);
    assert.deepEqual((await configOf({ file })).listen, [
      { family: 4, address: "127.0.0.1", port: 53 },
      { family: 6, address: "::1", port: 53 },
    ]);
  });

  test("takes the file's name from HOLDFAST_CONFIG, and a flag before it", async () => {
    const opened: string[] = [];
    const readText = (path: string) => {
      opened.push(path);
      return Promise.resolve("");
    };
    const env = { HOLDFAST_CONFIG: "from-env.yaml" };
    await loadConfig({ args: [], env, isTerminal: false, readText });
    await loadConfig({ args: ["--config=from-flag.yaml"], env, isTerminal: false, readText });
    assert.deepEqual(opened, ["from-env.yaml", "from-flag.yaml"]);
  });

  test("counts an empty variable as not set and ignores those that a Service of our name makes", async () => {
    const env = { HOLDFAST_TTL: "", HOLDFAST_SERVICE_HOST: "10.0.0.1", HOLDFAST_PORT: "tcp://10.0.0.1:53" };
    assert.equal((await configOf({ env })).ttlSeconds, 5);
  });

  test("logs for people on a terminal unless told otherwise", async () => {
    assert.equal((await configOf({ isTerminal: true })).logFormat, "pretty");
    assert.equal((await configOf({ isTerminal: true, args: ["--log-format=json"] })).logFormat, "json");
  });

  test("is frozen at every level", async () => {
    const config = await configOf({ args: ["--admin", "unix:/run/holdfast.sock", "--admin", "[::1]:9853"] });
    const frozen = [
      config,
      config.listen,
      config.listen[0],
      config.zones,
      config.admin,
      config.admin[0],
      config.admin[1],
    ];
    for (const value of frozen) assert.ok(Object.isFrozen(value), JSON.stringify(value));
    assert.ok(config.admin[1].type === "tcp" && Object.isFrozen(config.admin[1].address));
  });

  test("tells help from settings, even beside a wrong flag", async () => {
    assert.deepEqual(await load({ args: ["--ttl", "5", "--help", "--nonsense"] }), { outcome: "help" });
  });
});

suite("loadConfig() canonical forms", () => {
  test("lower-cases zones, drops the final dot and lets a reverse zone follow", async () => {
    const config = await configOf({ args: ["--zone", "Cluster.Local.", "--zone", "10.in-addr.arpa"] });
    assert.deepEqual(config.zones, ["cluster.local", "10.in-addr.arpa"]);
  });

  test("writes IPv6 addresses in one way", async () => {
    const { listen } = await configOf({ args: ["--listen", "[FD00:0:0::0:53]:53"] });
    assert.deepEqual(listen, [{ family: 6, address: "fd00::53", port: 53 }]);
  });
});

suite("loadConfig() source", () => {
  const cases = [
    { name: "--manifests implies it", given: { args: ["--manifests", "d"] }, want: ["manifests", "d"] },
    { name: "a variable implies it", given: { env: { HOLDFAST_MANIFESTS: "d" } }, want: ["manifests", "d"] },
    {
      name: "--manifests beats the file's source in an emergency",
      given: { args: ["--manifests", "d"], file: "source: kubernetes\nkubeconfig: /etc/k\n" },
      want: ["manifests", "d"],
    },
    {
      name: "--source beats the file's manifests",
      given: { args: ["--source", "kubernetes"], file: "manifests: d\n" },
      want: ["kubernetes", undefined],
    },
    {
      name: "--source manifests takes the file's directory",
      given: { args: ["--source", "manifests"], file: "manifests: d\n" },
      want: ["manifests", "d"],
    },
  ];
  for (const { name, given, want } of cases) {
    test(name, async () => {
      const config = await configOf(given);
      assert.deepEqual([config.source, config.manifests], want);
    });
  }
});

const FLAGS =
  "--source --kubeconfig --context --manifests --listen --admin --heartbeat-dir --data-dir --zone --endpoints --ttl --pods --log-level --log-format --config --help";
const KEYS = FLAGS.replaceAll("--", "").replace(" config help", "");
const ADDRESS = "accepted is ADDR:PORT such as 127.0.0.1:5353 or [::1]:5353";
const ADMIN_ADDRESS = "accepted is ADDR:PORT such as 127.0.0.1:9853 or [::1]:9853, or unix:PATH";
const TTL = "accepted is a whole number of seconds from 0 to 3600";
const ZONE = "accepted is a DNS name such as cluster.local";
const LONG = "x".repeat(64);

/** Every message that a wrong setting can give, word for word: they are part of the surface. */
const MESSAGES: readonly { readonly given: Given; readonly want: string }[] = [
  {
    given: { args: ["--listn", "x"] },
    want: `unknown flag "--listn" (did you mean --listen?); accepted are ${FLAGS}`,
  },
  {
    given: { args: ["--cluster-dns=1.2.3.4:53"] },
    want: `unknown flag "--cluster-dns"; accepted are ${FLAGS}`,
  },
  {
    given: { args: ["-ttl", "5"] },
    want: `unexpected argument "-ttl" (did you mean --ttl?); accepted are flags: ${FLAGS}`,
  },
  { given: { args: ["now"] }, want: `unexpected argument "now"; accepted are flags: ${FLAGS}` },
  { given: { args: ["--ttl"] }, want: `--ttl has no value; ${TTL}` },
  { given: { args: ["--ttl", "--pods"] }, want: `--ttl has no value; ${TTL}` },
  {
    given: { args: ["--ttl", "1", "--ttl", "2"] },
    want: '--ttl is given twice, "1" and "2"; accepted is one value',
  },
  { given: { args: ["--ttl", "-1"] }, want: `ttl: "-1" from --ttl: this is not a whole number; ${TTL}` },
  {
    given: { env: { HOLDFAST_TTL: "1h" } },
    want: `ttl: "1h" from HOLDFAST_TTL: this is not a whole number; ${TTL}`,
  },
  { given: { file: "ttl: 3601" }, want: `ttl: "3601" from key ttl in holdfast.yaml: above 3600; ${TTL}` },
  {
    given: { args: ["--listen", "localhost:53"] },
    want: `listen: "localhost:53" from --listen: "localhost" is not an IPv4 address; ${ADDRESS}`,
  },
  {
    given: { args: ["--listen", "10.0.0.256:53"] },
    want: `listen: "10.0.0.256:53" from --listen: "10.0.0.256" is not an IPv4 address; ${ADDRESS}`,
  },
  {
    given: { args: ["--listen", "127.0.0.1"] },
    want: `listen: "127.0.0.1" from --listen: the port is missing; ${ADDRESS}`,
  },
  {
    given: { args: ["--listen", "fd00::53:53"] },
    want: `listen: "fd00::53:53" from --listen: the port is missing; ${ADDRESS}`,
  },
  {
    given: { args: ["--listen", "2001:db8:1:2:3:4:5:6:53"] },
    want: `listen: "2001:db8:1:2:3:4:5:6:53" from --listen: an IPv6 address with a port needs brackets; ${ADDRESS}`,
  },
  {
    given: { args: ["--listen", "[10.0.0.1]:53"] },
    want: `listen: "[10.0.0.1]:53" from --listen: "10.0.0.1" is not an IPv6 address; ${ADDRESS}`,
  },
  {
    given: { env: { HOLDFAST_LISTEN: "127.0.0.1:53,127.0.0.2:70000" } },
    want: `listen: "127.0.0.2:70000" from HOLDFAST_LISTEN: port 70000 is above 65535; ${ADDRESS}`,
  },
  {
    given: { args: ["--listen", "here\nthere"] },
    want: `listen: "here\\nthere" from --listen: this is not an address with a port; ${ADDRESS}`,
  },
  {
    given: { args: ["--listen", "[::1]:53", "--listen", "[0::1]:53"] },
    want: 'listen: "[0::1]:53" from --listen is given twice',
  },
  {
    given: { args: ["--admin", "unix:"] },
    want: `admin: "unix:" from --admin: the path after unix: is empty; ${ADMIN_ADDRESS}`,
  },
  {
    given: { args: ["--admin", `unix:/${LONG}${LONG}`] },
    want: `admin: "unix:/${LONG}${LONG.slice(0, 30)}..." from --admin: a socket's path has at most 107 octets, this one 129; ${ADMIN_ADDRESS}`,
  },
  {
    given: { args: ["--admin", "9853"] },
    want: `admin: "9853" from --admin: this is not an address with a port; ${ADMIN_ADDRESS}`,
  },
  {
    given: { args: ["--zone", "."] },
    want: `zone: "." from --zone: the root is not a zone of a cluster; ${ZONE}`,
  },
  {
    given: { args: ["--zone", "cluster..local"] },
    want: `zone: "cluster..local" from --zone: a label is empty; ${ZONE}`,
  },
  {
    given: { args: ["--zone", "my_zone.local"] },
    want: `zone: "my_zone.local" from --zone: label "my_zone" has more than letters, digits and hyphens; ${ZONE}`,
  },
  {
    given: { args: ["--zone", "-a.local"] },
    want: `zone: "-a.local" from --zone: label "-a" begins or ends with a hyphen; ${ZONE}`,
  },
  {
    given: { args: ["--zone", `${LONG}.local`] },
    want: `zone: "${LONG}.local" from --zone: a label has at most 63 characters, "xxxxxxxxxxxx"... has 64; ${ZONE}`,
  },
  {
    given: { args: ["--zone", "a.".repeat(127) + "b"] },
    want: `zone: "${"a.".repeat(50)}..." from --zone: a name has at most 253 characters, this one 255; ${ZONE}`,
  },
  {
    given: { env: { HOLDFAST_ZONE: "10.in-addr.arpa,cluster.local" } },
    want: 'zone: "10.in-addr.arpa" from HOLDFAST_ZONE is a reverse zone and the first; accepted as the first is the cluster\'s own, such as cluster.local',
  },
  { given: { args: ["--zone", "a.b", "--zone", "A.b."] }, want: 'zone: "a.b" from --zone is given twice' },
  {
    given: { args: ["--source", "relay"] },
    want: 'source: "relay" from --source: this is none of the choices; accepted is kubernetes or manifests',
  },
  {
    given: { args: ["--source", "manifests"] },
    want: 'source: "manifests" from --source needs a directory; accepted with it is --manifests DIR',
  },
  {
    given: { args: ["--source", "kubernetes", "--manifests", "d"] },
    want: 'manifests: "d" from --manifests contradicts source "kubernetes" from --source; accepted is one of them',
  },
  {
    given: { args: ["--endpoints", "some"] },
    want: 'endpoints: "some" from --endpoints: this is none of the choices; accepted is headless or all',
  },
  {
    given: { args: ["--pods", "verified"] },
    want: 'pods: "verified" from --pods: this is none of the choices; accepted is disabled or insecure',
  },
  {
    given: { args: ["--log-level", "loud"] },
    want: 'log-level: "loud" from --log-level: this is none of the choices; accepted is trace, debug, info, warn or error',
  },
  {
    given: { args: ["--log-format", "xml"] },
    want: 'log-format: "xml" from --log-format: this is none of the choices; accepted is json or pretty',
  },
  {
    given: { args: ["--kubeconfig="] },
    want: 'kubeconfig: "" from --kubeconfig: it is empty; accepted is a path',
  },
  {
    given: { args: ["--context="] },
    want: 'context: "" from --context: it is empty; accepted is the name of a context',
  },
  {
    given: { args: ["--data-dir", "a\0b"] },
    want: 'data-dir: "a\\u0000b" from --data-dir: it has a zero octet; accepted is a path',
  },
  {
    given: { args: ["--config", "missing.yaml"] },
    want: `config: cannot read "missing.yaml" from --config: ENOENT: no such file or directory, open 'missing.yaml'; accepted is a readable YAML file`,
  },
  {
    given: { env: { HOLDFAST_CONFIG: "missing.yaml" } },
    want: `config: cannot read "missing.yaml" from HOLDFAST_CONFIG: ENOENT: no such file or directory, open 'missing.yaml'; accepted is a readable YAML file`,
  },
  { given: { args: ["--config="] }, want: 'config: "" from --config: it is empty; accepted is a path' },
  {
    given: { file: "listn: x" },
    want: `holdfast.yaml: unknown key "listn" (did you mean listen?); accepted are ${KEYS}`,
  },
  {
    given: { file: "config: other.yaml" },
    want: `holdfast.yaml: unknown key "config"; accepted are ${KEYS}`,
  },
  {
    given: { file: "- ttl: 5" },
    want: 'holdfast.yaml: accepted is one mapping of options, such as "ttl: 5"',
  },
  {
    given: { file: "ttl: [5" },
    want: "holdfast.yaml: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ] at line 1, column 8",
  },
  {
    given: { file: "ttl: 1\nttl: 2" },
    want: "holdfast.yaml: not valid YAML: Map keys must be unique at line 2, column 1",
  },
  { given: { file: "ttl: [1, 2]" }, want: `ttl: key ttl in holdfast.yaml is a list; ${TTL}` },
  { given: { file: "zone: []" }, want: `zone: key zone in holdfast.yaml is an empty list; ${ZONE}` },
  { given: { file: "zone:" }, want: `zone: key zone in holdfast.yaml is nothing; ${ZONE}` },
  { given: { file: "zone: true" }, want: `zone: key zone in holdfast.yaml is "true"; ${ZONE}` },
  {
    given: { file: "zone: [{name: a}]" },
    want: `zone: key zone in holdfast.yaml is a nested value; ${ZONE}`,
  },
  {
    given: { file: `# ${"x".repeat(262_143)}` },
    want: 'config: "holdfast.yaml" from --config has 262145 characters; accepted are at most 262144',
  },
];

suite("loadConfig() messages", () => {
  for (const { given, want } of MESSAGES) {
    test(want.slice(0, 100), async () => assert.equal(await messageOf(given), want));
  }
});
