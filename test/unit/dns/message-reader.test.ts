import assert from "node:assert/strict";
import { test } from "node:test";
import { isMessageError, parseMessage } from "../../../src/dns/message.ts";
import { formatName } from "../../../src/dns/name.ts";
import { countReads, hex, packet, QUESTION, record, repeat, uint16, wireName } from "./packets.ts";

const MESSAGE_OCTETS = 65_507;

function pointer(offset: number): number[] {
  return uint16(0xc000 | offset);
}

/** A record whose RDATA holds the root and `pointers` pointers, each to the one before; then as many owners as fit point to the last. */
function pointerChain(pointers: number): Uint8Array {
  const rootAt = 12 + 11;
  const chain = [0];
  for (let index = 0; index < pointers; index++)
    chain.push(...pointer(index === 0 ? rootAt : rootAt + 1 + (index - 1) * 2));
  const head = rootAt + 1 + (pointers - 1) * 2;
  const first = record([0], 1000, chain);
  const count = Math.floor((MESSAGE_OCTETS - 12 - first.length) / 12);
  const owners = repeat(count, record(pointer(head), 1000, []));
  return packet({ flags: 0x8000, counts: [0, count + 1, 0, 0] }, first, ...owners);
}

/** As many questions as fit, each one label and a pointer to a name of 253 octets: the most that names can expand. */
function expandingNames(): Uint8Array {
  const long = [...wireName(...repeat(126, "a")), ...hex("0001 0001")];
  const count = Math.floor((MESSAGE_OCTETS - 12 - long.length) / 8);
  return packet(
    { flags: 0x8000, counts: [count + 1, 0, 0, 0] },
    long,
    ...repeat(count, hex("01 62 c00c 0001 0001")),
  );
}

const BOMBS = [
  {
    name: "a chain of 7,000 pointers",
    message: pointerChain(7000),
    wantReason: "an owner name has too many compression pointers",
  },
  {
    name: "a chain of 126 pointers with 5,000 names at its head",
    message: pointerChain(126),
    wantReason: undefined,
  },
  {
    name: "8,000 names of 255 octets",
    message: expandingNames(),
    wantReason: "names in the message expand to too many octets",
  },
];
for (const { name, message, wantReason } of BOMBS) {
  test(`parseMessage() does work linear in the message: ${name}`, () => {
    assert.ok(message.length > 65_000 && message.length <= MESSAGE_OCTETS);
    const { bytes, reads } = countReads(message);
    const result = parseMessage(bytes);
    assert.equal(isMessageError(result) ? result.reason : undefined, wantReason);
    assert.ok(reads() <= message.length * 18, `${reads()} reads for ${message.length} octets`);
  });
}

const BAD_POINTERS = [
  { name: "to itself", owner: pointer(33) },
  { name: "forward", owner: pointer(40) },
  { name: "into the header", owner: pointer(4) },
  { name: "to a later octet of the name itself", owner: [1, 0x61, ...pointer(35)] },
  { name: "back to the start of the name itself", owner: [1, 0x61, ...pointer(33)] },
];
for (const { name, owner } of BAD_POINTERS) {
  test(`parseMessage() refuses a pointer ${name}`, () => {
    const message = packet({ counts: [1, 1, 0, 0] }, QUESTION, record(owner, 1000, [0, 0, 0]));
    assert.deepEqual(parseMessage(message), {
      offset: 33 + owner.length - 2,
      reason: "an owner name has a compression pointer that does not lead back",
    });
  });
}

test("parseMessage() refuses two names that point at each other", () => {
  // The owner's tail is at 35 and leads to RDATA of the record before; from there a pointer leads forward to 35 again.
  const loop = record([0], 1000, [1, 0x61, ...pointer(12 + 11 + 4 + 2)]);
  const message = packet({ counts: [0, 2, 0, 0] }, loop, record([1, 0x62, ...pointer(23)], 1000, []));
  const result = parseMessage(message);
  assert.ok(isMessageError(result));
  assert.equal(result.reason, "an owner name has a compression pointer that does not lead back");
});

test("parseMessage() refuses a name that grows past 255 octets over a pointer, memorised or not", () => {
  const long = [...wireName(...repeat(126, "a")), ...hex("0001 0001")];
  const over = hex("02 6262 c00c 0001 0001");
  assert.deepEqual(parseMessage(packet({ counts: [2, 0, 0, 0] }, long, over)), {
    offset: 274,
    reason: "QNAME is longer than 255 octets",
  });
});

test("parseMessage() expands labels, pointers and pointers to pointers", () => {
  const message = packet(
    { counts: [1, 4, 0, 0] },
    QUESTION,
    record(pointer(12), 1000, []),
    record(pointer(33), 1000, []),
    record([1, 0x61, ...pointer(16)], 1000, []),
    record([1, 0x62, ...pointer(57)], 1000, []),
  );
  const result = parseMessage(message);
  assert.ok(!isMessageError(result));
  assert.deepEqual(
    result.answers.map(({ owner }) => formatName(owner, 0)),
    ["www.example.com.", "www.example.com.", "a.example.com.", "b.a.example.com."],
  );
});
