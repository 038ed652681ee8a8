import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { messageEdns } from "../../src/dns/edns.ts";
import { composeMessage, isMessageError, parseMessage } from "../../src/dns/message.ts";
import {
  createQuery,
  MAX_QUERY_OPTIONS,
  parseQuery,
  QUERY_BADVERS,
  QUERY_DROP,
  QUERY_FORMERR,
  QUERY_NOTIMP,
  QUERY_OK,
} from "../../src/dns/query.ts";
import { asQuery } from "../unit/dns/corpora.ts";
import { countReads } from "../unit/dns/packets.ts";
import { messages, packets, SEEDED } from "./dns-arbitraries.ts";

const KEEPALIVE = 11;

test("parseQuery() never throws, reads each octet about once, and stays inside the message", () => {
  const query = createQuery();
  fc.assert(
    fc.property(packets, (octets) => {
      const { bytes, reads } = countReads(octets);
      const outcome = parseQuery(bytes, octets.length, query);
      assert.ok([QUERY_OK, QUERY_DROP, QUERY_NOTIMP, QUERY_FORMERR, QUERY_BADVERS].includes(outcome));
      assert.ok(reads() <= octets.length + 32, `${reads()} reads for ${octets.length} octets`);
      if (outcome === QUERY_DROP) return;
      assert.ok(query.questionEnd <= octets.length && query.udpPayloadOctets >= 512);
      assert.equal(query.questionEnd > 12, query.hasQuestion);
      if (outcome === QUERY_OK || outcome === QUERY_BADVERS) assert.ok(query.hasQuestion);
    }),
    { ...SEEDED, numRuns: 3000 },
  );
});

test("parseQuery() gives the same for a message alone and in front of other octets", () => {
  fc.assert(
    fc.property(packets, (packet) => {
      const octets = asQuery(packet);
      const alone = createQuery();
      const outcome = parseQuery(octets, octets.length, alone);
      const within = createQuery();
      assert.equal(
        parseQuery(Uint8Array.from([...octets, 0, 0, 41, 4, 208]), octets.length, within),
        outcome,
      );
      assert.deepEqual(within, alone);
    }),
    { ...SEEDED, numRuns: 500 },
  );
});

test("parseQuery() reads the question and EDNS that parseMessage() reads", () => {
  const query = createQuery();
  fc.assert(
    fc.property(messages, (message) => {
      const octets = composeMessage({ ...message, flags: message.flags & 0x07ff });
      const outcome = parseQuery(octets, octets.length, query);
      const [question] = message.questions;
      if (message.questions.length !== 1) {
        assert.deepEqual([outcome, query.hasQuestion], [QUERY_FORMERR, false]);
      } else {
        assert.deepEqual(octets.subarray(12, query.questionEnd - 4), question.qname);
        assert.deepEqual([query.qtype, query.qclass], [question.qtype, question.qclass]);
        const labels = Array.from(query.labelOffsets.subarray(0, query.labelCount), (at) => octets[at] + 1);
        assert.equal(1 + labels.reduce((sum, count) => sum + count, 0), question.qname.length);
      }
      const edns = messageEdns(message);
      assert.equal(query.hasEdns, edns !== undefined);
      if (edns === undefined) return;
      assert.equal(query.udpPayloadOctets, Math.max(512, edns.udpPayloadOctets));
      assert.deepEqual([query.ednsVersion, query.dnssecOk], [edns.version, edns.dnssecOk]);
      if (message.questions.length !== 1) return;
      if (edns.version > 0) assert.equal(outcome, QUERY_BADVERS);
      const keepalives = edns.options.slice(0, MAX_QUERY_OPTIONS).filter(({ code }) => code === KEEPALIVE);
      if (edns.version === 0 && keepalives.length === 0) assert.equal(outcome, QUERY_OK);
    }),
    { ...SEEDED, numRuns: 500 },
  );
});

test("parseQuery() and parseMessage() agree on a packet that both accept", () => {
  const query = createQuery();
  fc.assert(
    fc.property(packets, (packet) => {
      const octets = asQuery(packet);
      const message = parseMessage(octets);
      const outcome = parseQuery(octets, octets.length, query);
      // One may refuse what the other does not read: records it ignores here, a second question there.
      if (outcome === QUERY_OK && !isMessageError(message)) {
        assert.equal(message.questions.length, 1);
        assert.equal(query.hasEdns, messageEdns(message) !== undefined);
      }
    }),
    { ...SEEDED, numRuns: 1000 },
  );
});
