import assert from "node:assert/strict";
import { test } from "node:test";
import { isMessageError, parseMessage } from "../../../src/dns/message.ts";
import { formatRecord } from "../../../src/dns/record-format.ts";
import { hex, opt, packet, record, wireName } from "./packets.ts";

const OWNER = wireName("web", "local");

const CASES = [
  { octets: record(OWNER, 1, hex("0a000001")), text: "web.local. 5 IN A 10.0.0.1" },
  {
    octets: record(OWNER, 28, hex("fd00000000000000000000000000000a")),
    text: "web.local. 5 IN AAAA fd00::a",
  },
  {
    octets: record(OWNER, 28, hex("20010db8000000010000000000000001")),
    text: "web.local. 5 IN AAAA 2001:db8:0:1::1",
  },
  { octets: record(OWNER, 5, wireName("Foo", "com")), text: "web.local. 5 IN CNAME Foo.com." },
  { octets: record([0], 2, wireName("ns")), text: ". 5 IN NS ns." },
  { octets: record(OWNER, 15, [0, 10, ...wireName("mx")]), text: "web.local. 5 IN MX 10 mx." },
  {
    octets: record(OWNER, 33, [...hex("0000 0064 1f90"), ...wireName("10-0-0-1", "web")]),
    text: "web.local. 5 IN SRV 0 100 8080 10-0-0-1.web.",
  },
  {
    octets: record(OWNER, 6, [
      ...wireName("ns"),
      ...wireName("host.master"),
      ...hex("ffffffff00000001000000020000000300000004"),
    ]),
    text: "web.local. 5 IN SOA ns. host\\.master. 4294967295 1 2 3 4",
  },
  {
    octets: record(OWNER, 16, hex("05 312e312e30 00 08 61 22 5c 20 1f 7e 7f ff")),
    text: 'web.local. 5 IN TXT "1.1.0" "" "a\\"\\\\ \\031~\\127\\255"',
  },
  { octets: record(OWNER, 13, hex("07 52464338343832 00")), text: 'web.local. 5 IN HINFO "RFC8482" ""' },
  { octets: record(OWNER, 1000, hex("00ff0a")), text: "web.local. 5 IN TYPE1000 \\# 3 00ff0a" },
  { octets: record(OWNER, 65, []), text: "web.local. 5 IN HTTPS \\# 0" },
  { octets: hex("00 0010 0003 ffffffff 0002 0161"), text: '. 4294967295 CH TXT "a"' },
  { octets: opt(), text: "; EDNS: version: 0, flags:; udp: 1232" },
  {
    octets: opt({
      dnssecOk: true,
      rdata: hex("000f 0006 0003 6f6c6422 000f 0002 000e 000b 0002 0064 0003 0000"),
    }),
    text: '; EDNS: version: 0, flags: do; udp: 1232; EDE: 3 (Stale Answer): "old\\""; EDE: 14 (Not Ready); OPT=11: 0064; OPT=3:',
  },
];
for (const { octets, text } of CASES) {
  test(`formatRecord() writes ${text}`, () => {
    const message = parseMessage(packet({ counts: [0, 0, 0, 1] }, octets));
    assert.ok(!isMessageError(message), JSON.stringify(message));
    assert.equal(formatRecord(message.additionals[0]), text);
  });
}
