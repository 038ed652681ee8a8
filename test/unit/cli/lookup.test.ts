import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Packet } from "dns2";
import { runCommand } from "../../../src/cli/commands.ts";
import type { Answerer } from "./dns-stub.ts";
import { record, replyTo, startDnsStub } from "./dns-stub.ts";

const { A, AAAA, SRV, TXT, PTR, SOA, NS, CNAME, HINFO } = Packet.TYPE;
const WEB = "web.shop.svc.cluster.local";
const ZONE_SOA = record("cluster.local", SOA, {
  primary: "ns.dns.cluster.local",
  admin: "hostmaster.cluster.local",
  serial: 1,
  refresh: 7200,
  retry: 1800,
  expiration: 86_400,
  minimum: 5,
});
const ZONE_SOA_TEXT =
  "cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5";

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  let out = "";
  let err = "";
  const console = {
    args: ["lookup", ...args],
    env,
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
  };
  const code = await runCommand(console, "0.0.0");
  // Sizes, times and ports are not what these tests are about.
  const lines = out
    .replaceAll(/\d+ octets in [\d.]+ ms from (\S+):\d+ over/g, "$1")
    .trimEnd()
    .split("\n");
  return { code, out, lines, err };
}

async function lookup(answer: Answerer, args: readonly string[], host: "127.0.0.1" | "::1" = "127.0.0.1") {
  const stub = await startDnsStub(host, answer);
  try {
    return {
      ...(await run([...args, "--server", stub.address])),
      queries: stub.queries,
      address: stub.address,
    };
  } finally {
    await stub.close();
  }
}

/** Always the same reply. */
function always(change: (reply: Packet) => void): Answerer {
  return (query) => [replyTo(query, change)];
}

function staleError(reply: Packet): void {
  reply.additionals.push(Packet.Resource.EDNS([Packet.Resource.EDNS.EDE(3, "endpoints 90 s old")]));
}

suite("lookup prints", () => {
  test("A and AAAA where no type is given, and is done when one has an answer", async () => {
    const { code, lines, err, queries } = await lookup(
      (query) => [
        replyTo(query, (reply) => {
          if (query.questions[0].type === A) reply.answers.push(record(WEB, A, { address: "10.96.0.1" }));
          else reply.authorities.push(ZONE_SOA);
        }),
      ],
      [`${WEB}.`],
    );
    assert.deepEqual(lines, [
      `;; ${WEB}. A: NOERROR, flags aa rd ra, 127.0.0.1 udp`,
      `${WEB}. 5 IN A 10.96.0.1`,
      `;; ${WEB}. AAAA: NODATA, flags aa rd ra, 127.0.0.1 udp`,
      ";; authority",
      ZONE_SOA_TEXT,
    ]);
    assert.deepEqual([code, err, queries.length], [0, "", 2]);
  });

  test("why an answer is stale", async () => {
    const { code, lines } = await lookup(
      always((reply) => {
        reply.answers.push(record(WEB, AAAA, { address: "fd00::1" }));
        staleError(reply);
      }),
      [WEB, "aaaa"],
    );
    assert.deepEqual(lines.slice(1), [
      ";; extended error 3, Stale Answer: endpoints 90 s old",
      `${WEB}. 5 IN AAAA fd00::1`,
    ]);
    assert.equal(code, 0);
  });

  test("every kind of record as a zone file has it", async () => {
    const { lines } = await lookup(
      always((reply) => {
        reply.answers.push(
          record(WEB, SRV, { priority: 0, weight: 50, port: 443, target: `a.${WEB}` }),
          record(WEB, TXT, { data: ["1.1.0", 'say "hi"'] }),
          record(WEB, CNAME, { domain: "example.com" }),
          record(WEB, NS, { ns: "ns.dns.cluster.local" }),
          record(WEB, Packet.TYPE.MX, { priority: 10, exchange: "mx.example" }),
          record(WEB, HINFO, { data: Buffer.from("\u0007RFC8482\0") }),
          record(WEB, HINFO, { data: Buffer.from([1, 65]) }),
          record(WEB, 62_347, { data: Buffer.from([1, 65, 0]) }),
        );
        reply.additionals.push(record(`a.${WEB}`, A, { address: "10.1.0.1" }));
      }),
      [WEB, "SRV"],
    );
    assert.deepEqual(lines.slice(1), [
      `${WEB}. 5 IN SRV 0 50 443 a.${WEB}.`,
      String.raw`${WEB}. 5 IN TXT "1.1.0" "say \"hi\""`,
      `${WEB}. 5 IN CNAME example.com.`,
      `${WEB}. 5 IN NS ns.dns.cluster.local.`,
      `${WEB}. 5 IN MX 10 mx.example.`,
      `${WEB}. 5 IN HINFO "RFC8482" ""`,
      String.raw`${WEB}. 5 IN HINFO \# 2 0141`,
      String.raw`${WEB}. 5 IN TYPE62347 \# 3 014100`,
      ";; additional",
      `a.${WEB}. 5 IN A 10.1.0.1`,
    ]);
  });

  test("nothing that a terminal would obey", async () => {
    const { out } = await lookup(
      always((reply) => {
        reply.answers.push(record("\u001b[2J.x", TXT, { data: ["\u001b]0;owned\u0007\u009b"] }));
        reply.additionals.push(Packet.Resource.EDNS([Packet.Resource.EDNS.EDE(0, "\u001b[31m")]));
      }),
      [WEB, "TXT"],
    );
    // oxlint-disable-next-line no-control-regex -- exactly those must not be there
    assert.doesNotMatch(out, /[\x00-\x09\x0b-\x1f\x7f-\uffff]/);
    assert.match(out, /\\027\[2J\.x\. 5 IN TXT "\\027\]0;owned\\007/);
  });

  test("JSON", async () => {
    const { out, address, code } = await lookup(
      always((reply) => {
        reply.answers.push(record(WEB, A, { address: "10.96.0.1" }));
        staleError(reply);
      }),
      [WEB, "A", "--json"],
    );
    const [result] = JSON.parse(out) as Record<string, unknown>[];
    const { octets, timeMs, ...rest } = result;
    assert.deepEqual(rest, {
      name: `${WEB}.`,
      type: "A",
      status: "NOERROR",
      flags: ["aa", "rd", "ra"],
      extendedErrors: [{ code: 3, purpose: "Stale Answer", text: "endpoints 90 s old" }],
      answer: [`${WEB}. 5 IN A 10.96.0.1`],
      authority: [],
      additional: [],
      damaged: [],
      server: address,
      transport: "udp",
    });
    assert.ok(Number.isInteger(octets) && typeof timeMs === "number");
    assert.equal(code, 0);
  });
});

suite("lookup asks", () => {
  const pointers = [
    { name: "10.96.0.1", want: "1.0.96.10.in-addr.arpa" },
    { name: "fd00::1:ab", want: `b.a.0.0.1.0.0.0.${"0.".repeat(20)}0.0.d.f.ip6.arpa` },
  ];
  for (const { name, want } of pointers) {
    test(`PTR for ${name}`, async () => {
      const { queries } = await lookup(
        always(() => {}),
        [name],
      );
      assert.deepEqual(
        [queries[0].packet.questions[0].name, queries[0].packet.questions[0].type],
        [want, PTR],
      );
    });
  }

  test("with EDNS, without which no server says why an answer is stale", async () => {
    const { queries } = await lookup(
      always(() => {}),
      [WEB, "A"],
    );
    const [opt] = queries[0].packet.additionals;
    assert.deepEqual([opt.type, opt.class, queries[0].packet.header.rd], [41, 1232, 1]);
  });

  test("again over TCP where the reply is truncated", async () => {
    const { queries, lines, code } = await lookup(
      (query, transport) => [
        replyTo(query, (reply) => {
          if (transport === "udp") reply.header.tc = 1;
          else reply.answers.push(record(WEB, A, { address: "10.96.0.1" }));
        }),
      ],
      [WEB, "A"],
    );
    assert.deepEqual(
      queries.map(({ transport }) => transport),
      ["udp", "tcp"],
    );
    assert.deepEqual(lines, [
      `;; ${WEB}. A: NOERROR, flags aa rd ra, 127.0.0.1 tcp`,
      `${WEB}. 5 IN A 10.96.0.1`,
    ]);
    assert.equal(code, 0);
  });

  for (const host of ["127.0.0.1", "::1"] as const) {
    test(`over TCP at once with --tcp, ${host}`, async () => {
      const { queries, code } = await lookup(
        always((reply) => reply.answers.push(record(WEB, A, { address: "10.96.0.1" }))),
        [WEB, "A", "--tcp"],
        host,
      );
      assert.deepEqual([queries.map(({ transport }) => transport), code], [["tcp"], 0]);
    });
  }

  test("an IPv6 server over UDP", async () => {
    const { lines } = await lookup(
      always(() => {}),
      [WEB, "A"],
      "::1",
    );
    assert.deepEqual(lines, [`;; ${WEB}. A: NODATA, flags aa rd ra, [::1] udp`]);
  });

  test("the first address of HOLDFAST_LISTEN by default, over loopback where it stands for all", async () => {
    const stub = await startDnsStub(
      "127.0.0.1",
      always(() => {}),
    );
    const env = { HOLDFAST_LISTEN: `${stub.address.replace("127.0.0.1", "0.0.0.0")},127.0.0.1:1` };
    const { lines } = await run([WEB, "A"], env);
    await stub.close();
    assert.deepEqual(lines, [`;; ${WEB}. A: NODATA, flags aa rd ra, 127.0.0.1 udp`]);
  });
});

suite("lookup distrusts", () => {
  test("replies with another id, another question, no question or the QR bit clear, and waits on", async () => {
    const { lines, code } = await lookup(
      (query) => {
        const good = replyTo(query, (reply) => reply.answers.push(record(WEB, A, { address: "10.96.0.1" })));
        const forged = record(WEB, A, { address: "6.6.6.6" });
        return [
          replyTo(query, (reply) => {
            reply.header.id ^= 1;
            reply.answers.push(forged);
          }),
          replyTo(query, (reply) => {
            reply.questions = [new Packet.Question("other.example", A, 1)];
            reply.answers.push(forged);
          }),
          replyTo(query, (reply) => {
            reply.questions = [];
            reply.answers.push(forged);
          }),
          replyTo(query, (reply) => {
            reply.header.qr = 0;
            reply.answers.push(forged);
          }),
          Buffer.from([1, 2, 3]),
          good,
        ];
      },
      [WEB, "A"],
    );
    assert.deepEqual([lines.slice(1), code], [[`${WEB}. 5 IN A 10.96.0.1`], 0]);
  });

  test("a reply over TCP to another question", async () => {
    const { code, err, address } = await lookup(
      always((reply) => (reply.questions = [new Packet.Question("other.example", A, 1)])),
      [WEB, "A", "--tcp"],
    );
    assert.deepEqual([code, err], [1, `holdfast lookup: ${address} replied to another question\n`]);
  });
});

suite("lookup fails with 1", () => {
  test("for NXDOMAIN, with the reason", async () => {
    const { code, lines, err } = await lookup(
      always((reply) => {
        reply.header.rcode = 3;
        reply.authorities.push(ZONE_SOA);
        reply.additionals.push(Packet.Resource.EDNS([Packet.Resource.EDNS.EDE(19, "")]));
      }),
      ["nope.shop.svc.cluster.local", "A"],
    );
    assert.deepEqual(lines, [
      ";; nope.shop.svc.cluster.local. A: NXDOMAIN, flags aa rd ra, 127.0.0.1 udp",
      ";; extended error 19, Stale NXDOMAIN Answer",
      ";; authority",
      ZONE_SOA_TEXT,
    ]);
    assert.deepEqual([code, err], [1, ""]);
  });

  test("for REFUSED, and says what a full name is", async () => {
    const { code, lines } = await lookup(
      always((reply) => (reply.header.rcode = 5)),
      ["web.shop", "A"],
    );
    assert.match(lines[1], /does not serve this name; a full name ends in the zone/);
    assert.equal(code, 1);
  });

  test("for silence", async () => {
    const { code, err, out, address } = await lookup(() => [], [WEB, "--timeout", "20"]);
    assert.deepEqual([code, out, err], [1, "", `holdfast lookup: no reply from ${address} within 20 ms\n`]);
  });

  for (const flags of [[], ["--tcp"]]) {
    test(`where nothing listens ${flags.join("")}`, async () => {
      const stub = await startDnsStub("127.0.0.1", () => []);
      await stub.close();
      const { code, err } = await run([WEB, "--server", stub.address, ...flags]);
      assert.deepEqual(
        [code, err],
        [1, `holdfast lookup: nothing listens on ${stub.address}; is the agent running?\n`],
      );
    });
  }
});

const TYPES = "accepted is a type such as A, AAAA, SRV, PTR, TXT, CNAME, SOA, NS, ANY or TYPE65";
const ADDRESS = "accepted is ADDR:PORT such as 127.0.0.1:5353 or [::1]:5353";
const MILLISECONDS = "accepted is a whole number of milliseconds from 1 to 60000";
const USAGE: readonly {
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
  readonly want: string;
}[] = [
  {
    args: [],
    want: "a name is missing; accepted is NAME [TYPE], such as kubernetes.default.svc.cluster.local A",
  },
  { args: ["a", "B"], want: `type: "B" is unknown; ${TYPES}` },
  { args: ["a", "TYPE0"], want: `type: "TYPE0" is reserved; ${TYPES}` },
  { args: ["a", "A", "b"], want: 'unexpected argument "b"; accepted is NAME [TYPE]' },
  { args: ["a..b"], want: 'name: "a..b": a label is empty; accepted is a DNS name or an IP address' },
  {
    args: ["a b"],
    want: 'name: "a b": it has characters that this command cannot ask for; accepted is a DNS name or an IP address',
  },
  {
    args: ["x".repeat(64)],
    want: `name: "${"x".repeat(64)}": a label has more than 63 characters; accepted is a DNS name or an IP address`,
  },
  {
    args: ["a", "--sever", "x"],
    want: 'unknown flag "--sever" (did you mean --server?); accepted are --server --tcp --timeout --json --help',
  },
  { args: ["a", "--server", "dns:53"], want: `--server: "dns:53": "dns" is not an IPv4 address; ${ADDRESS}` },
  { args: ["a", "--server"], want: `--server has no value; ${ADDRESS}` },
  { args: ["a", "--timeout=0"], want: `--timeout: "0"; ${MILLISECONDS}` },
  { args: ["a", "--timeout"], want: `--timeout has no value; ${MILLISECONDS}` },
  {
    args: ["a"],
    env: { HOLDFAST_LISTEN: "x" },
    want: `HOLDFAST_LISTEN: "x": this is not an address with a port; ${ADDRESS}`,
  },
];

suite("lookup called wrongly exits with 2 and says", () => {
  for (const { args, env, want } of USAGE) {
    test(want.slice(0, 80), async () => {
      const { code, out, err } = await run(args, env);
      assert.deepEqual([code, out, err], [2, "", `holdfast lookup: ${want}\n`]);
    });
  }
});
