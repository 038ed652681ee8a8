import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { composeMessage, isMessageError, parseMessage } from "../../src/dns/message.ts";
import { formatRecord } from "../../src/dns/record-format.ts";
import { countReads } from "../unit/dns/packets.ts";
import { messages, packets, SEEDED } from "./dns-arbitraries.ts";

test("parseMessage() gives back what composeMessage() wrote", () => {
  fc.assert(
    fc.property(messages, (message) => {
      assert.deepEqual(parseMessage(composeMessage(message)), message);
    }),
    { ...SEEDED, numRuns: 500 },
  );
});

test("parseMessage() never throws, works in linear time, and what it read can be written and read again", () => {
  fc.assert(
    fc.property(packets, (octets) => {
      const { bytes, reads } = countReads(octets);
      const message = parseMessage(bytes);
      assert.ok(reads() <= 4096 + octets.length * 18, `${reads()} reads for ${octets.length} octets`);
      if (isMessageError(message)) {
        assert.ok(message.offset <= octets.length);
        return;
      }
      for (const record of [...message.answers, ...message.authorities, ...message.additionals]) {
        assert.ok(!formatRecord(record).includes("undefined"));
      }
      assert.deepEqual(parseMessage(composeMessage(message)), message);
    }),
    { ...SEEDED, numRuns: 3000 },
  );
});
