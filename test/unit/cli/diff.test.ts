import assert from "node:assert/strict";
import { suite, test, type TestContext } from "node:test";
import { Packet } from "dns2";
import type { Clock } from "../../../src/base/clock.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { diff } from "../../../src/cli/diff.ts";
import type { Answerer, DnsStub } from "./dns-stub.ts";
import { record, replyTo, startDnsStub } from "./dns-stub.ts";

const { A, AAAA, SRV, TXT, PTR, SOA } = Packet.TYPE;
const WEB = "web.shop.svc.cluster.local";
const SILENT: Answerer = () => [];

/** Waits are over at once, and noted. */
function impatientClock(): { readonly clock: Clock; readonly delaysMs: number[] } {
  const delaysMs: number[] = [];
  const setTimer: Clock["setTimer"] = (delayMs, run) => {
    delaysMs.push(delayMs);
    return systemClock.setTimer(0, run);
  };
  return { clock: { ...systemClock, setTimer }, delaysMs };
}

interface Given {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly resolvConf?: string;
}

async function run({ args = [], env = {}, resolvConf }: Given) {
  let out = "";
  let err = "";
  const console = {
    args,
    env,
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
  };
  const { clock, delaysMs } = impatientClock();
  const readText = (path: string) =>
    resolvConf === undefined
      ? Promise.reject(new Error(`ENOENT: no such file, open '${path}'`))
      : Promise.resolve(resolvConf);
  const code = await diff(console, { clock, readText });
  return { code, out, err, delaysMs };
}

async function stub(t: TestContext, answer: Answerer): Promise<DnsStub> {
  const started = await startDnsStub("127.0.0.1", answer);
  t.after(() => started.close());
  return started;
}

/** Both servers' addresses become names, so that a test can say what is printed. */
async function compare(t: TestContext, answers: readonly [Answerer, Answerer], args: readonly string[]) {
  const [server, against] = [await stub(t, answers[0]), await stub(t, answers[1])];
  const result = await run({ args: [...args, "--server", server.address, "--against", against.address] });
  const named = (text: string) =>
    text.replaceAll(server.address, "SERVER").replaceAll(against.address, "AGAINST");
  return { ...result, out: named(result.out), err: named(result.err), server, against };
}

function always(change: (reply: Packet) => void): Answerer {
  return (query) => [replyTo(query, change)];
}

function answering(...records: readonly Packet["answers"][number][]): Answerer {
  return always((reply) => void reply.answers.push(...records));
}

function denying(rcode: number): Answerer {
  return always((reply) => (reply.header.rcode = rcode));
}

function soa(data: object): Packet["answers"][number] {
  return record("cluster.local", SOA, {
    primary: "ns.dns.cluster.local",
    admin: "hostmaster.cluster.local",
    serial: 1,
    refresh: 7200,
    retry: 1800,
    expiration: 86_400,
    minimum: 5,
    ...data,
  });
}

function withTtl(base: Packet["answers"][number], ttl: number): Packet["answers"][number] {
  return Object.assign(record(base.name, base.type, { address: base.address }), { ttl });
}

function questionsOf({ queries }: DnsStub): readonly string[] {
  return queries.map(({ packet }) => `${packet.questions[0].name} ${packet.questions[0].type}`).sort();
}

/** fd00::1 for 1. */
function reverseOf(digit: number): string {
  return `${digit}.${"0.".repeat(27)}0.0.d.f.ip6.arpa`;
}

suite("diff takes for the same", () => {
  const first = record(WEB, A, { address: "10.0.0.1" });
  const second = record(WEB, A, { address: "10.0.0.2" });
  const rows: readonly (readonly [title: string, type: string, Answerer, Answerer, want: string])[] = [
    ["equal answers", "A", answering(first), answering(first), "NOERROR, 1 record"],
    ["another order", "A", answering(first, second), answering(second, first), "NOERROR, 2 records"],
    ["a record twice", "A", answering(first), answering(first, first), "NOERROR, 1 record"],
    ["another TTL", "A", answering(first), answering(withTtl(first, 30)), "NOERROR, 1 record"],
    [
      "capitals in names",
      "SRV",
      answering(record(WEB, SRV, { priority: 0, weight: 100, port: 443, target: WEB })),
      answering(
        record("Web.Shop.svc.cluster.local", SRV, {
          priority: 0,
          weight: 100,
          port: 443,
          target: "WEB.shop.svc.Cluster.local",
        }),
      ),
      "NOERROR, 1 record",
    ],
    ["another serial number", "SOA", answering(soa({})), answering(soa({ serial: 77 })), "NOERROR, 1 record"],
    [
      "a negative answer with a SOA and one without",
      "A",
      always((reply) => {
        reply.header.rcode = 3;
        reply.authorities.push(soa({}));
      }),
      denying(3),
      "NXDOMAIN",
    ],
    [
      "an extended error on one side",
      "A",
      always((reply) => {
        reply.answers.push(first);
        reply.additionals.push(Packet.Resource.EDNS([Packet.Resource.EDNS.EDE(3, "stale")]));
      }),
      answering(first),
      "NOERROR, 1 record",
    ],
  ];
  for (const [title, type, server, against, want] of rows) {
    test(title, async (t) => {
      const { code, out, err, delaysMs } = await compare(t, [server, against], [`${WEB}:${type}`]);
      assert.deepEqual([code, out, err], [0, `same    ${WEB}. ${type} ${want}\n`, ""]);
      assert.deepEqual(delaysMs, []);
    });
  }
});

suite("diff reports", () => {
  test("records that one server lacks, after asking again for 2 s", async (t) => {
    const common = record(WEB, A, { address: "10.0.0.1" });
    const { code, out, err, delaysMs, server, against } = await compare(
      t,
      [answering(common, record(WEB, A, { address: "10.0.0.2" })), answering(common)],
      [`${WEB}:A`],
    );
    assert.deepEqual(out.split("\n"), [
      `differs ${WEB}. A`,
      "  SERVER NOERROR, 2 records",
      `      ${WEB}. A 10.0.0.1`,
      `    * ${WEB}. A 10.0.0.2`,
      "  AGAINST NOERROR, 1 record",
      `      ${WEB}. A 10.0.0.1`,
      "",
    ]);
    assert.deepEqual([code, err], [1, ""]);
    assert.equal(
      delaysMs.reduce((sum, delayMs) => sum + delayMs),
      2000,
    );
    assert.deepEqual([server.queries.length, against.queries.length], [4, 4]);
  });

  const texts = [record(WEB, TXT, { data: ["a"] }), record(WEB, TXT, { data: ["A"] })];
  const rows: readonly (readonly [
    title: string,
    Answerer,
    Answerer,
    server: readonly string[],
    against: readonly string[],
  ])[] = [
    ["another response code", denying(3), denying(2), ["NXDOMAIN"], ["SERVFAIL"]],
    ["NODATA beside NXDOMAIN", always(() => {}), denying(3), ["NODATA"], ["NXDOMAIN"]],
    [
      "a capital in a text",
      answering(texts[0]),
      answering(texts[1]),
      ["NOERROR, 1 record", `* ${WEB}. TXT "a"`],
      ["NOERROR, 1 record", `* ${WEB}. TXT "A"`],
    ],
    [
      "another owner",
      answering(record(WEB, TXT, { data: ["a"] })),
      answering(record("x.example", TXT, { data: ["a"] })),
      ["NOERROR, 1 record", `* ${WEB}. TXT "a"`],
      ["NOERROR, 1 record", `* x.example. TXT "a"`],
    ],
    [
      "another timer of the zone",
      answering(soa({})),
      answering(soa({ minimum: 30 })),
      [
        "NOERROR, 1 record",
        "* cluster.local. SOA ns.dns.cluster.local. hostmaster.cluster.local. 0 7200 1800 86400 5",
      ],
      [
        "NOERROR, 1 record",
        "* cluster.local. SOA ns.dns.cluster.local. hostmaster.cluster.local. 0 7200 1800 86400 30",
      ],
    ],
  ];
  for (const [title, server, against, ofServer, ofAgainst] of rows) {
    test(title, async (t) => {
      const { code, out } = await compare(t, [server, against], [`${WEB}:TXT`]);
      const lines = out
        .trimEnd()
        .split("\n")
        .map((line) => line.trim());
      const [serverHead, ...serverRecords] = ofServer;
      const [againstHead, ...againstRecords] = ofAgainst;
      assert.deepEqual(lines, [
        `differs ${WEB}. TXT`,
        `SERVER ${serverHead}`,
        ...serverRecords,
        `AGAINST ${againstHead}`,
        ...againstRecords,
      ]);
      assert.equal(code, 1);
    });
  }

  test("which server does not reply, once on standard error", async (t) => {
    const { code, out, err } = await compare(
      t,
      [answering(record(WEB, A, { address: "10.0.0.1" })), SILENT],
      [WEB, "--timeout", "20"],
    );
    assert.deepEqual(out.split("\n").slice(0, 4), [
      `failed  ${WEB}. A`,
      "  SERVER NOERROR, 1 record",
      `      ${WEB}. A 10.0.0.1`,
      "  AGAINST no reply from AGAINST within 20 ms",
    ]);
    assert.deepEqual([code, err], [1, "holdfast diff: no reply from AGAINST within 20 ms\n"]);
  });

  test("a server that does not listen", async (t) => {
    const gone = await startDnsStub("127.0.0.1", SILENT);
    await gone.close();
    const against = await stub(t, denying(3));
    const args = [`${WEB}:A`, "--server", gone.address, "--against", against.address];
    const { code, err } = await run({ args });
    assert.deepEqual([code, err], [1, `holdfast diff: nothing listens on ${gone.address}\n`]);
  });

  test("nothing when the other server has learned of the change by the next try", async (t) => {
    let asked = 0;
    const late: Answerer = (query) => [
      replyTo(query, (reply) => {
        asked++;
        if (asked > 2) reply.answers.push(record(WEB, A, { address: "10.0.0.1" }));
        else reply.header.rcode = 3;
      }),
    ];
    const { code, out, delaysMs } = await compare(
      t,
      [answering(record(WEB, A, { address: "10.0.0.1" })), late],
      [`${WEB}:A`],
    );
    assert.deepEqual([code, out], [0, `same    ${WEB}. A NOERROR, 1 record\n`]);
    assert.equal(delaysMs.length, 2);
  });

  test("JSON", async (t) => {
    const { code, out } = await compare(
      t,
      [answering(record(WEB, A, { address: "10.0.0.1" })), denying(3)],
      [`${WEB}:A`, "--json"],
    );
    assert.deepEqual(JSON.parse(out), [
      {
        name: `${WEB}.`,
        type: "A",
        outcome: "differs",
        server: { address: "SERVER", status: "NOERROR", answer: [`${WEB}. A 10.0.0.1`] },
        against: { address: "AGAINST", status: "NXDOMAIN", answer: [] },
      },
    ]);
    assert.equal(code, 1);
  });
});

suite("diff asks", () => {
  test("what every cluster has, where no name is given", async (t) => {
    const { code, out, server, against } = await compare(
      t,
      [denying(3), denying(3)],
      ["--zone", "Corp.Example."],
    );
    const kubernetes = "kubernetes.default.svc.corp.example";
    const want = [
      `${kubernetes} ${A}`,
      `${kubernetes} ${AAAA}`,
      `_https._tcp.${kubernetes} ${SRV}`,
      `dns-version.corp.example ${TXT}`,
      `holdfast-diff-no-such-service.default.svc.corp.example ${A}`,
    ].sort();
    assert.deepEqual([questionsOf(server), questionsOf(against)], [want, want]);
    assert.deepEqual([code, out.match(/^same /gm)?.length], [0, 5]);
  });

  test("A and AAAA of a name, PTR of an address, and the type that a name has behind a colon", async (t) => {
    const { server, out } = await compare(
      t,
      [denying(3), denying(3)],
      [WEB, `${WEB}.:srv`, "10.96.0.1", "fd00::1", "fd00::2:TXT"],
    );
    assert.deepEqual(
      questionsOf(server),
      [
        `${WEB} ${A}`,
        `${WEB} ${AAAA}`,
        `${WEB} ${SRV}`,
        `1.0.96.10.in-addr.arpa ${PTR}`,
        `${reverseOf(1)} ${PTR}`,
        `${reverseOf(2)} ${TXT}`,
      ].sort(),
    );
    assert.equal(out.split("\n")[3], "same    1.0.96.10.in-addr.arpa. PTR NXDOMAIN");
  });

  test("many names, not all at once", async (t) => {
    const names = Array.from({ length: 30 }, (_, index) => `name-${index}.example:A`);
    const { out } = await compare(t, [denying(3), denying(3)], names);
    assert.deepEqual(
      Array.from(out.matchAll(/^same {4}(\S+)\. A NXDOMAIN$/gm), ([, name]) => `${name}:A`),
      names,
    );
  });

  test("over TCP where an answer is truncated", async (t) => {
    const truncating: Answerer = (query, transport) => [
      replyTo(query, (reply) => {
        if (transport === "udp") reply.header.tc = 1;
        else reply.answers.push(record(WEB, A, { address: "10.0.0.1" }));
      }),
    ];
    const { code, out } = await compare(
      t,
      [truncating, answering(record(WEB, A, { address: "10.0.0.1" }))],
      [`${WEB}:A`],
    );
    assert.deepEqual([code, out], [0, `same    ${WEB}. A NOERROR, 1 record\n`]);
  });
});

const ADDRESS = "accepted is ADDR:PORT such as 127.0.0.1:5353 or [::1]:5353";
const RESOLV = `${ADDRESS}, or resolv.conf`;
const CALLED_WRONGLY: readonly (Given & { readonly want: string })[] = [
  {
    args: ["a:B"],
    want: 'type: "B" is unknown; accepted is a type such as A, AAAA, SRV, PTR, TXT, CNAME, SOA, NS, ANY or TYPE65',
  },
  { args: [":A"], want: 'name: "": a label is empty; accepted is a DNS name or an IP address' },
  { args: ["--server", "dns:53"], want: `--server: "dns:53": "dns" is not an IPv4 address; ${ADDRESS}` },
  {
    args: ["--against", "coredns"],
    want: `--against: "coredns": this is not an address with a port; ${RESOLV}`,
  },
  {
    args: ["--server=127.0.0.1:53", "--against=127.0.0.1"],
    want: "--against: 127.0.0.1:53 is --server itself; accepted is another server",
  },
  {
    args: ["--zone", "a..b"],
    want: '--zone: "a..b": a label is empty; accepted is a DNS name such as cluster.local',
  },
  {
    args: [],
    env: { HOLDFAST_ZONE: "a..b" },
    want: 'HOLDFAST_ZONE: "a..b": a label is empty; accepted is a DNS name such as cluster.local',
  },
  { args: ["--json=yes"], want: '--json takes no value, but has "yes"' },
  {
    args: ["--againts", "x"],
    want: 'unknown flag "--againts" (did you mean --against?); accepted are --server --against --zone --timeout --json --help',
  },
  {
    args: [],
    want: `--against: cannot read /etc/resolv.conf: ENOENT: no such file, open '/etc/resolv.conf'; ${RESOLV}`,
  },
  {
    args: ["--server", "169.254.53.53:53"],
    resolvConf: "# nameserver 10.96.0.10\nsearch shop.svc.cluster.local\nnameserver 169.254.53.53\n",
    want: `--against: /etc/resolv.conf names no server but 169.254.53.53:53; ${RESOLV}`,
  },
];

suite("diff called wrongly exits with 2 and says", () => {
  for (const { want, ...given } of CALLED_WRONGLY) {
    test(want.slice(0, 80), async () => {
      const { code, out, err } = await run(given);
      assert.deepEqual([code, out, err], [2, "", `holdfast diff: ${want}\n`]);
    });
  }
});

test("diff compares with the first nameserver of resolv.conf that is not the server itself", async (t) => {
  const server = await stub(t, denying(3));
  // Nothing listens on port 53 of these: who was asked is seen in the message.
  const { code, out } = await run({
    args: [`${WEB}:A`, "--server", server.address, "--timeout", "20"],
    resolvConf: "nameserver 127.53.0.1\r\nnameserver 127.53.0.2\n",
  });
  assert.match(out, /^ {2}127\.53\.0\.1:53 \S/m);
  assert.equal(code, 1);
  const itself = await run({
    args: [`${WEB}:A`, "--server", "127.53.0.1:53", "--timeout", "20"],
    resolvConf: "options ndots:5\n nameserver 127.53.0.1 # the agent\nnameserver\t127.53.0.2;\n",
  });
  assert.match(itself.out, /^ {2}127\.53\.0\.2:53 \S/m);
});

test("diff tells its help", async () => {
  const { code, out, err } = await run({ args: ["--help"] });
  assert.deepEqual([code, err], [0, ""]);
  assert.match(out, /^Usage: holdfast diff \[NAME\[:TYPE\]\]\.\.\.[^]*up to 3 times in 2 s/);
});
