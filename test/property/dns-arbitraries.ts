/** Names, records, messages and broken packets for the property tests of `src/dns`. */
import * as fc from "fast-check";
import type { Message, Question } from "../../src/dns/message.ts";
import type { EdnsOption, Rdata, ResourceRecord } from "../../src/dns/record.ts";
import { asQuery, readCorpora } from "../unit/dns/corpora.ts";

const PLAIN = { noNullPrototype: true } as const;
const uint8 = fc.nat(0xff);
const uint16 = fc.nat(0xffff);
const uint32 = fc.nat(0xffffffff);

function octets(maxLength: number, minLength = 0): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength, maxLength }).map((array) => Uint8Array.from(array));
}

/** Few labels that recur, so that names share their ends; some of any octets; some of the greatest length. */
const label = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .constantFrom("web", "WEB", "shop", "svc", "cluster", "local", "com")
      .map((text) => new TextEncoder().encode(text)),
  },
  { weight: 2, arbitrary: octets(8, 1) },
  { weight: 1, arbitrary: octets(63, 60) },
);

/** Whole uncompressed names, the root and names close to 255 octets among them. */
export const names: fc.Arbitrary<Uint8Array> = fc
  .oneof(
    { weight: 8, arbitrary: fc.array(label, { maxLength: 6 }) },
    { weight: 1, arbitrary: fc.array(octets(1, 1), { minLength: 120, maxLength: 127 }) },
  )
  .map((labels) => {
    const wire: number[] = [];
    for (const octets of labels) {
      if (wire.length + octets.length + 2 <= 255) wire.push(octets.length, ...octets);
    }
    return Uint8Array.from([...wire, 0]);
  });

const addressRdata = (length: number): fc.Arbitrary<Rdata> =>
  fc.record({ kind: fc.constant("address" as const), address: octets(length, length) }, PLAIN);
const nameRdata: fc.Arbitrary<Rdata> = fc.record({ kind: fc.constant("name" as const), name: names }, PLAIN);
const mxRdata: fc.Arbitrary<Rdata> = fc.record(
  { kind: fc.constant("mx" as const), preference: uint16, exchange: names },
  PLAIN,
);
const srvRdata: fc.Arbitrary<Rdata> = fc.record(
  { kind: fc.constant("srv" as const), priority: uint16, weight: uint16, port: uint16, target: names },
  PLAIN,
);
const soaRdata: fc.Arbitrary<Rdata> = fc.record(
  {
    kind: fc.constant("soa" as const),
    mname: names,
    rname: names,
    serial: uint32,
    refresh: uint32,
    retry: uint32,
    expire: uint32,
    minimum: uint32,
  },
  PLAIN,
);
const stringsRdata = (minLength: number, maxLength: number): fc.Arbitrary<Rdata> =>
  fc.record(
    { kind: fc.constant("strings" as const), strings: fc.array(octets(255), { minLength, maxLength }) },
    PLAIN,
  );
const opaqueRdata: fc.Arbitrary<Rdata> = fc.record(
  { kind: fc.constant("opaque" as const), octets: octets(40) },
  PLAIN,
);

/** Types of class IN with RDATA of their form; 65 and 1000 have none. */
const typedRdata: fc.Arbitrary<[number, Rdata]> = fc.oneof(
  fc.tuple(fc.constant(1), addressRdata(4)),
  fc.tuple(fc.constant(28), addressRdata(16)),
  fc.tuple(fc.constantFrom(2, 5, 12), nameRdata),
  fc.tuple(fc.constant(15), mxRdata),
  fc.tuple(fc.constant(33), srvRdata),
  fc.tuple(fc.constant(6), soaRdata),
  fc.tuple(fc.constant(16), stringsRdata(1, 4)),
  fc.tuple(fc.constant(13), stringsRdata(2, 2)),
  fc.tuple(fc.constantFrom(0, 65, 1000, 65_535), opaqueRdata),
);

const internetRecords: fc.Arbitrary<ResourceRecord> = fc
  .tuple(names, typedRdata, uint32)
  .map(([owner, [rrtype, rdata], ttl]) => ({ owner, rrtype, rrclass: 1, ttl, rdata }));
/** A class without data of its own: every type is opaque. */
const otherRecords: fc.Arbitrary<ResourceRecord> = fc.record(
  {
    owner: names,
    rrtype: fc.constantFrom(1, 6, 33),
    rrclass: fc.constantFrom(254, 255),
    ttl: uint32,
    rdata: opaqueRdata,
  },
  PLAIN,
);
const records = fc.oneof({ weight: 9, arbitrary: internetRecords }, { weight: 1, arbitrary: otherRecords });

const options: fc.Arbitrary<EdnsOption[]> = fc.array(fc.record({ code: uint16, data: octets(12) }, PLAIN), {
  maxLength: 4,
});
const optRecords: fc.Arbitrary<ResourceRecord> = fc
  .tuple(uint16, uint32, options)
  .map(([rrclass, ttl, options]) => ({
    owner: new Uint8Array(1),
    rrtype: 41,
    rrclass,
    ttl,
    rdata: { kind: "opt", options },
  }));

const questions: fc.Arbitrary<Question> = fc.record({ qname: names, qtype: uint16, qclass: uint16 }, PLAIN);
const sections = fc.array(records, { maxLength: 6 });

/** The additional section, with an OPT record in most cases. */
const additionals = fc
  .tuple(sections, fc.option(optRecords, { nil: undefined }))
  .map(([others, opt]) => others.concat(opt ?? []));

/** Messages that `composeMessage` accepts. */
export const messages: fc.Arbitrary<Message> = fc.record(
  {
    id: uint16,
    flags: uint16,
    questions: fc.array(questions, { maxLength: 2 }),
    answers: sections,
    authorities: sections,
    additionals,
  },
  PLAIN,
);

/** A valid packet after a few octets of it were changed and some of its end was lost. */
function damaged(packets: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const edits = fc.array(fc.tuple(fc.nat(), fc.oneof(uint8, fc.constantFrom(0, 0xc0, 0xff))), {
    maxLength: 6,
  });
  const lost = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat() });
  return fc.tuple(packets, edits, lost).map(([packet, edits, lost]) => {
    const octets = packet.slice(0, packet.length - (lost % (packet.length + 1)));
    for (const [at, octet] of edits) if (octets.length > 0) octets[at % octets.length] = octet;
    return octets;
  });
}

const corpus = readCorpora().map(({ bytes }) => bytes);

/** Any octets; a header with any counts before any octets; packets of the corpora, changed and cut. */
export const packets: fc.Arbitrary<Uint8Array> = fc.oneof(
  octets(600),
  fc.tuple(octets(12, 12), octets(200)).map(([header, body]) => {
    const packet = new Uint8Array(header.length + body.length);
    packet.set(header);
    packet.set(body, header.length);
    return asQuery(packet);
  }),
  damaged(fc.constantFrom(...corpus)),
);

/** The seed of a failed run, to run it again: `SEED=123 node --test ...`. fast-check prints it. */
export const SEEDED: { seed?: number } =
  process.env["SEED"] === undefined ? {} : { seed: Number(process.env["SEED"]) };
