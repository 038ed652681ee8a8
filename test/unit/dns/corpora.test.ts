import assert from "node:assert/strict";
import { test } from "node:test";
import { composeMessage, isMessageError, parseMessage } from "../../../src/dns/message.ts";
import { formatName, parseName } from "../../../src/dns/name.ts";
import { createQuery, parseQuery, QUERY_BADVERS, QUERY_DROP } from "../../../src/dns/query.ts";
import { formatRecord } from "../../../src/dns/record-format.ts";
import { asQuery, readCorpora } from "./corpora.ts";
import { countReads } from "./packets.ts";

const FILES = readCorpora();

test("the corpora are there", () => assert.ok(FILES.length > 400));

test("parseQuery() judges every packet of the corpora and reads each octet about once at most", () => {
  const query = createQuery();
  for (const { name, bytes } of FILES) {
    const octets = asQuery(bytes);
    const counted = countReads(octets);
    const outcome = parseQuery(counted.bytes, octets.length, query);
    assert.ok(outcome >= 0 && outcome <= QUERY_BADVERS, name);
    assert.equal(outcome === QUERY_DROP, octets.length < 12, name);
    assert.ok(counted.reads() <= octets.length + 32, `${name}: ${counted.reads()} reads`);
  }
});

test("parseMessage() reads or refuses every packet of the corpora, with work linear in its size", () => {
  let parsed = 0;
  for (const { name, bytes } of FILES) {
    const counted = countReads(bytes);
    const message = parseMessage(counted.bytes);
    assert.ok(counted.reads() <= 4096 + bytes.length * 18, `${name}: ${counted.reads()} reads`);
    if (isMessageError(message)) {
      assert.ok(message.offset <= bytes.length && message.reason !== "", name);
      continue;
    }
    parsed++;
    for (const record of [...message.answers, ...message.authorities, ...message.additionals])
      formatRecord(record);
    assert.deepEqual(parseMessage(composeMessage(message)), message, name);
  }
  assert.ok(parsed > 300, `${parsed} packets were readable`);
});

test("parseMessage() refuses the name-compression bomb of c-ares", () => {
  const bomb = FILES.find(({ name }) => name.endsWith("/multi-indir"));
  assert.ok(bomb !== undefined);
  const counted = countReads(bomb.bytes);
  const result = parseMessage(counted.bytes);
  assert.ok(isMessageError(result));
  assert.ok(counted.reads() <= bomb.bytes.length * 18);
});

test("parseName() takes the names of c-ares back from formatName(), or says why they are none", () => {
  for (const { name, bytes } of FILES.filter((file) => file.name.includes("/fuzznames/"))) {
    const wire = parseName(new TextDecoder().decode(bytes));
    if (wire instanceof Uint8Array) assert.deepEqual(parseName(formatName(wire, 0)), wire, name);
    else assert.notEqual(wire.reason, "", name);
  }
});
