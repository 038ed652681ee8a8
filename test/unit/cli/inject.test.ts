import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test, type TestContext } from "node:test";
import { parse, parseAllDocuments } from "yaml";
import { inject, uninject } from "../../../src/cli/inject.ts";

const POD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  containers: []\n";
const ON_HOST = POD.replace("spec:\n", "spec:\n  hostNetwork: true\n").replace("name: web", "name: node");

interface Spec {
  readonly dnsPolicy?: string;
  readonly dnsConfig: {
    readonly nameservers: readonly string[];
    readonly searches?: readonly string[];
    readonly options: readonly { readonly name: string; readonly value: string }[];
  };
  readonly initContainers?: readonly { readonly image: string; readonly args: readonly string[] }[];
}

/** @param files  By name; `-` is standard input. */
async function run(
  command: "inject" | "uninject",
  args: readonly string[],
  files: Readonly<Record<string, string>> = { "-": POD },
) {
  let out = "";
  let err = "";
  const console = {
    args,
    env: {},
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
  };
  const read = (path: string) =>
    Object.hasOwn(files, path) ? Promise.resolve(files[path]) : Promise.reject(notFound(path));
  const code = await (command === "inject" ? inject(console, "1.2.3", read) : uninject(console, read));
  return { code, out, err };
}

function notFound(path: string): Error {
  return Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { syscall: "open" });
}

async function injectedSpec(...args: string[]): Promise<Spec> {
  const { code, out, err } = await run("inject", args);
  assert.deepEqual([code, err], [0, ""]);
  return (parse(out) as { spec: Spec }).spec;
}

suite("inject adds", () => {
  test("the agent of the node behind the cluster's DNS, by default", async () => {
    assert.deepEqual(await injectedSpec(), {
      dnsConfig: {
        nameservers: ["169.254.53.53"],
        options: [
          { name: "timeout", value: "1" },
          { name: "attempts", value: "2" },
        ],
      },
      containers: [],
    });
  });

  test("the agent before the cluster's DNS with --role primary", async () => {
    const args = ["--role=primary", "--cluster-dns=10.96.0.10", "--cluster-domain=Corp.Example"];
    const { dnsPolicy, dnsConfig } = await injectedSpec(...args, "--timeout=3", "--attempts=1");
    assert.deepEqual(
      [dnsPolicy, dnsConfig],
      [
        "None",
        {
          nameservers: ["169.254.53.53", "10.96.0.10"],
          searches: ["shop.svc.corp.example", "svc.corp.example", "corp.example"],
          options: [
            { name: "ndots", value: "5" },
            { name: "timeout", value: "3" },
            { name: "attempts", value: "1" },
          ],
        },
      ],
    );
  });

  test("the addresses that it is given, each once", async () => {
    const addresses = ["--address=10.96.0.53", "--address", "fd00:53::53", "--address=10.96.0.53"];
    const { dnsConfig } = await injectedSpec("--mode", "service", ...addresses);
    assert.deepEqual(dnsConfig.nameservers, ["10.96.0.53", "fd00:53::53"]);
  });

  test("a sidecar of its own version with --mode sidecar, which is asked first", async () => {
    const { dnsPolicy, dnsConfig, initContainers } = await injectedSpec(
      "--mode=sidecar",
      "--cluster-dns=10.96.0.10",
    );
    assert.deepEqual([dnsPolicy, dnsConfig.nameservers], ["None", ["127.0.0.1", "10.96.0.10"]]);
    assert.equal(initContainers?.[0].image, "ghcr.io/holdfast-dns/holdfast:1.2.3");
    assert.deepEqual(initContainers[0].args.slice(0, 3), [
      "agent",
      "--listen=127.0.0.1:53",
      "--data-dir=/var/lib/holdfast",
    ]);
  });

  test("a sidecar with another image, and on IPv6", async () => {
    const args = [
      "--mode=sidecar",
      "--cluster-dns=fd00::a",
      "--address=::1",
      "--image=registry.example/h@sha256:12",
    ];
    const { dnsConfig, initContainers } = await injectedSpec(...args);
    assert.deepEqual(dnsConfig.nameservers, ["::1", "fd00::a"]);
    assert.equal(initContainers?.[0].image, "registry.example/h@sha256:12");
    assert.equal(initContainers[0].args[1], "--listen=[::1]:53");
  });
});

suite("inject and uninject", () => {
  test("give one stream of documents from several files, as it was after uninject", async () => {
    const files = {
      "a.yaml": POD.trimEnd(),
      "b.yaml": `---\n${POD}`,
      "c.yaml": `# last\n${POD}`,
      "-": "kind: List\n",
    };
    const { code, out } = await run("inject", Object.keys(files), files);
    assert.equal(code, 0);
    assert.equal(parseAllDocuments(out).length, 4);
    assert.equal(out.match(/169\.254\.53\.53\n/g)?.length, 3);
    const restored = await run("uninject", [], { "-": out });
    assert.deepEqual(restored, {
      code: 0,
      out: `${POD}---\n${POD}---\n# last\n${POD}---\nkind: List\n`,
      err: "",
    });
  });

  test("say on standard error what stays as it is", async () => {
    const { code, out, err } = await run("inject", ["a.yaml"], { "a.yaml": `${ON_HOST}---\n${POD}` });
    assert.equal(
      err,
      "holdfast inject: a.yaml: Pod shop/node stays as it is: it is on the host network without dnsPolicy: ClusterFirstWithHostNet\n",
    );
    assert.deepEqual([code, out.startsWith(ON_HOST)], [0, true]);
    assert.equal(
      (await run("uninject", [])).err,
      "holdfast uninject: standard input: Pod shop/web stays as it is: it has no annotation holdfast/injected\n",
    );
  });

  test("write nothing where one file is wrong, and name each that is", async () => {
    const files = { "a.yaml": POD, "b.yaml": "a: [1\n", "c.yaml": POD.replace("  namespace: shop\n", "") };
    const args = ["a.yaml", "b.yaml", "gone.yaml", "c.yaml", "--role=primary", "--cluster-dns=10.96.0.10"];
    const { code, out, err } = await run("inject", args, files);
    assert.deepEqual([code, out], [1, ""]);
    const lines = err.split("\n");
    assert.match(lines[0], /^holdfast inject: b\.yaml: not valid YAML at line 2, column 1: \w/);
    assert.deepEqual(lines.slice(1), [
      "holdfast inject: gone.yaml: cannot be read: ENOENT: no such file or directory, open 'gone.yaml'",
      "holdfast inject: c.yaml: Pod web: it has no metadata.namespace; accepted is one, or --namespace NAMESPACE",
      "",
    ]);
  });

  test("read files", async (t: TestContext) => {
    const directory = await mkdtemp(join(tmpdir(), "holdfast-inject-"));
    t.after(() => rm(directory, { recursive: true }));
    const file = join(directory, "pod.yaml");
    await writeFile(file, POD);
    const texts: string[] = [];
    const console = { args: [file], env: {}, out: (text: string) => void texts.push(text), err: assert.fail };
    assert.equal(await inject(console, "1.2.3"), 0);
    assert.match(texts.join(""), /- 169\.254\.53\.53\n/);
    const errors: string[] = [];
    const failing = {
      args: [directory],
      env: {},
      out: assert.fail,
      err: (text: string) => void errors.push(text),
    };
    assert.equal(await uninject(failing), 1);
    assert.match(errors.join(""), /cannot be read: EISDIR: /);
  });

  test("tell their help", async () => {
    for (const command of ["inject", "uninject"] as const) {
      const { code, out, err } = await run(command, ["--help"]);
      assert.deepEqual([code, err], [0, ""]);
      assert.match(out, new RegExp(`^Usage: holdfast ${command} \\[FILE\\|-\\]\\.\\.\\.`));
    }
  });
});

const ADDRESS = "accepted is an IP address such as 10.96.0.10 or fd00:53::53, without a port";
const CALLED_WRONGLY: readonly (readonly [args: readonly string[], want: string])[] = [
  [
    ["--mode", "servce"],
    '--mode: "servce" (did you mean service?); accepted is link-local, service or sidecar',
  ],
  [["--role=first"], '--role: "first"; accepted is fallback or primary'],
  [
    ["--mode=sidecar", "--role=fallback"],
    '--role: "fallback" with --mode sidecar; accepted with it is primary',
  ],
  [
    ["--mode=service"],
    "--mode service needs --address; accepted with it is the ClusterIP of the agent's Service",
  ],
  [["--address=10.96.0.53:53"], `--address: "10.96.0.53:53"; ${ADDRESS}`],
  [["--address=fe80::1%eth0"], `--address: "fe80::1%eth0"; ${ADDRESS}`],
  [
    ["--address=10.0.0.1", "--address=10.0.0.2", "--address=10.0.0.3"],
    "--address is given 3 times; accepted are up to 2",
  ],
  [
    ["--mode=sidecar", "--address=10.0.0.1"],
    '--address: "10.0.0.1" with --mode sidecar; accepted with it is a loopback address',
  ],
  [
    ["--role=primary"],
    "--cluster-dns is missing, and pods that ask the agent first need it; accepted is the ClusterIP of the cluster's DNS, such as 10.96.0.10",
  ],
  [["--role=primary", "--cluster-dns=coredns"], `--cluster-dns: "coredns"; ${ADDRESS}`],
  [
    ["--role=primary", "--cluster-dns=169.254.53.53"],
    '--cluster-dns: "169.254.53.53" is the agent\'s own address; accepted is another',
  ],
  [
    ["--cluster-domain=a..b"],
    '--cluster-domain: "a..b": a label is empty; accepted is a DNS name such as cluster.local',
  ],
  [["--namespace=Shop"], '--namespace: "Shop"; accepted is a namespace\'s name such as shop'],
  [["--image="], '--image: "" is no image; accepted is an image such as ghcr.io/holdfast-dns/holdfast:1.2.3'],
  [["--timeout=0"], '--timeout: "0"; accepted is a whole number of seconds from 1 to 30'],
  [["--attempts=9"], '--attempts: "9"; accepted is a whole number from 1 to 5'],
  [
    ["--dry-run"],
    'unknown flag "--dry-run"; accepted are --mode --role --address --cluster-dns --cluster-domain --namespace --image --timeout --attempts --help',
  ],
];

suite("inject called wrongly exits with 2 and says", () => {
  for (const [args, want] of CALLED_WRONGLY) {
    test(want.slice(0, 80), async () => {
      assert.deepEqual(await run("inject", args), { code: 2, out: "", err: `holdfast inject: ${want}\n` });
    });
  }

  test("the same of uninject", async () => {
    const want = 'holdfast uninject: unknown flag "--mode"; accepted are --help\n';
    assert.deepEqual(await run("uninject", ["--mode=x"]), { code: 2, out: "", err: want });
  });
});
