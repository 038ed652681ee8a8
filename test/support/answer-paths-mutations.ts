/** Packets that are almost queries, from a seed: what a hostile or broken client sends. */
import { asQuery, readCorpora } from "../unit/dns/corpora.ts";
import { composeQuery } from "./answer-paths-message.ts";

/** Larger ones say nothing more, and cost the time of many. */
const MAX_SEED_OCTETS = 1500;

const QUERIES = [
  "web.shop.svc.cluster.local. A",
  "web.shop.svc.cluster.local. AAAA",
  "_http._tcp.web.shop.svc.cluster.local. SRV",
  "db.shop.svc.cluster.local. SRV",
  "db-0.db.shop.svc.cluster.local. A",
  "10-1-0-7.db.shop.svc.cluster.local. A",
  "alias.shop.svc.cluster.local. SRV",
  "loop.shop.svc.cluster.local. A",
  "1-2-3-4.shop.pod.cluster.local. A",
  "fd00--1.shop.pod.cluster.local. AAAA",
  "1.0.0.10.in-addr.arpa. PTR",
  "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa. PTR",
  "cluster.local. NS",
  "ns.dns.cluster.local. A",
  "dns-version.cluster.local. TXT",
  `${"a.".repeat(110)}cluster.local. A`,
  "www.example.com. A",
];

/** Packets to start from: those of other projects, as they are and as queries, and queries that lead everywhere. */
export function seedPackets(): Uint8Array[] {
  const corpora = readCorpora()
    .map(({ bytes }) => bytes)
    .filter(({ length }) => length <= MAX_SEED_OCTETS);
  const queries = QUERIES.flatMap((query) => [
    composeQuery({ query }),
    composeQuery({ query, edns: { options: [{ code: 11, data: new Uint8Array(0) }] } }),
  ]);
  return [...corpora, ...corpora.map(asQuery), ...queries];
}

/** A packet of the seeds with a few octets changed, cut off, put in or taken out; from the queries as often as from the rest. */
export function mutate(seeds: readonly Uint8Array[], random: () => number): Uint8Array {
  const own = QUERIES.length * 2;
  const pick =
    random() < 0.5 ? seeds.length - own + Math.floor(random() * own) : Math.floor(random() * seeds.length);
  let packet = seeds[pick].slice();
  for (let left = 1 + Math.floor(random() * 4); left > 0 && packet.length > 0; left--) {
    packet = changed(packet, random);
  }
  // Most start as responses, which are only dropped.
  if (packet.length > 2 && random() < 0.9) packet[2] &= 0x87;
  return packet;
}

const TELLING_OCTETS = [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xff, 0x29, 0x2d, 0x5f];

function changed(packet: Uint8Array<ArrayBuffer>, random: () => number): Uint8Array<ArrayBuffer> {
  const at = Math.floor(random() * packet.length);
  const kind = random();
  if (kind < 0.35) packet[at] = Math.floor(random() * 256);
  else if (kind < 0.7) packet[at] = TELLING_OCTETS[Math.floor(random() * TELLING_OCTETS.length)];
  else if (kind < 0.8) packet[at] ^= 0x20;
  else if (kind < 0.88) return packet.slice(0, at);
  else {
    const octets = 1 + Math.floor(random() * 8);
    const isInserted = random() < 0.5;
    const head = packet.subarray(0, at);
    const tail = packet.subarray(isInserted ? at : Math.min(at + octets, packet.length));
    const result = new Uint8Array(head.length + (isInserted ? octets : 0) + tail.length);
    result.set(head);
    result.set(tail, result.length - tail.length);
    return result;
  }
  return packet;
}
