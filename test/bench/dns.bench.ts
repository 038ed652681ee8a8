/**
 * What reading a query costs: `node --expose-gc test/bench/dns.bench.ts`.
 * The heap column is what matters beside the time: the answer path must show (almost) nothing there.
 */
import { bench, do_not_optimize, run, summary } from "mitata";
import { createQuery, parseQuery } from "../../src/dns/query.ts";
import { parseMessage } from "../../src/dns/message.ts";
import { hashLabels } from "../../src/dns/name.ts";
import { hex, opt, packet, repeat, wireName } from "../unit/dns/packets.ts";

const QNAME = wireName("web-1234", "shop", "svc", "cluster", "local");
const QUESTION = [...QNAME, ...hex("0001 0001")];
const COOKIE = hex("000a 0008 0102030405060708");

const PACKETS = [
  { name: "plain query", message: packet({}, QUESTION) },
  {
    name: "query with EDNS and a cookie",
    message: packet({ counts: [1, 0, 0, 1] }, QUESTION, opt({ rdata: COOKIE })),
  },
  {
    name: "12 octets with counts of 0xffff",
    message: packet({ counts: [0xffff, 0xffff, 0xffff, 0xffff] }),
  },
  {
    name: "64 KiB of empty records",
    message: packet({ counts: [1, 0, 0, 0xffff] }, QUESTION, repeat(65_000, 0)),
  },
];

const query = createQuery();
summary(() => {
  for (const { name, message } of PACKETS) {
    bench(`parseQuery: ${name}`, () => do_not_optimize(parseQuery(message, message.length, query))).gc(
      "inner",
    );
  }
  const plain = PACKETS[0].message;
  bench("hashLabels: a Service's name", () => do_not_optimize(hashLabels(plain, 12, 12 + QNAME.length, 1)));
  bench("parseMessage: plain query (cold path, for comparison)", () => do_not_optimize(parseMessage(plain)));
});
await run();
