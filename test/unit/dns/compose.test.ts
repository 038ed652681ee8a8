import assert from "node:assert/strict";
import { test } from "node:test";
import {
  copyOctets,
  copyQuestion,
  createOptFields,
  KEEPALIVE_NONE,
  optOctets,
  writeCounts,
  writeHeader,
  writeOpt,
  writeUint16,
  writeUint32,
  type OptFields,
} from "../../../src/dns/compose.ts";
import { EDE_NONE, EDE_NOT_READY, EDE_STALE_ANSWER, RCODE_BADVERS } from "../../../src/dns/constants.ts";
import { hex, packet, QUESTION } from "./packets.ts";

const FILL = 0xaa;

function buffer(): Uint8Array {
  return new Uint8Array(64).fill(FILL);
}

test("writeUint16() and writeUint32() write in network order and return the offset behind", () => {
  const out = buffer();
  assert.equal(writeUint16(out, 1, 0xfedc), 3);
  assert.equal(writeUint32(out, 3, 0xfedcba98), 7);
  assert.deepEqual([...out.subarray(0, 8)], [FILL, ...hex("fedc fedcba98"), FILL]);
});

test("writeHeader() and writeCounts() write the twelve octets of a header", () => {
  const out = buffer();
  assert.equal(writeHeader(out, 0xbeef, 0x8583), 12);
  writeCounts(out, 1, 258, 3, 4);
  assert.deepEqual([...out.subarray(0, 13)], [...hex("beef 8583 0001 0102 0003 0004"), FILL]);
});

test("copyQuestion() copies the question as it came", () => {
  const query = packet({}, [3, 0x57, 0x77, 0x57, 0], hex("001c 0001"), hex("ffff"));
  const out = buffer();
  const end = copyQuestion(query, 21, out);
  assert.equal(end, 21);
  assert.deepEqual([...out.subarray(12, 22)], [3, 0x57, 0x77, 0x57, 0, ...hex("001c 0001"), FILL]);
});

test("copyOctets() copies a range", () => {
  const out = buffer();
  assert.equal(copyOctets(Uint8Array.from(QUESTION), 1, 4, out, 10), 13);
  assert.deepEqual([...out.subarray(9, 14)], [FILL, 0x77, 0x77, 0x77, FILL]);
});

const OPT_CASES: readonly { name: string; fields: Partial<OptFields>; want: string }[] = [
  { name: "no options", fields: {}, want: "00 0029 04d0 00 00 0000 0000" },
  { name: "DO", fields: { dnssecOk: true }, want: "00 0029 04d0 00 00 8000 0000" },
  {
    name: "the upper bits of BADVERS",
    fields: { rcode: RCODE_BADVERS },
    want: "00 0029 04d0 01 00 0000 0000",
  },
  { name: "no upper bits of NXDOMAIN", fields: { rcode: 3 }, want: "00 0029 04d0 00 00 0000 0000" },
  {
    name: "an EDE without text",
    fields: { edeCode: EDE_NOT_READY },
    want: "00 0029 04d0 00 00 0000 0006 000f 0002 000e",
  },
  {
    name: "an EDE with text",
    fields: { edeCode: EDE_STALE_ANSWER, edeText: new TextEncoder().encode("age 5s") },
    want: "00 0029 04d0 00 00 0000 000c 000f 0008 0003 616765203573",
  },
  { name: "EDE 0", fields: { edeCode: 0 }, want: "00 0029 04d0 00 00 0000 0006 000f 0002 0000" },
  {
    name: "a keepalive timeout",
    fields: { keepaliveTimeout: 100 },
    want: "00 0029 04d0 00 00 0000 0006 000b 0002 0064",
  },
  {
    name: "a keepalive timeout of 0, which asks the client to close",
    fields: { keepaliveTimeout: 0 },
    want: "00 0029 04d0 00 00 0000 0006 000b 0002 0000",
  },
  {
    name: "EDE and keepalive",
    fields: { edeCode: EDE_STALE_ANSWER, keepaliveTimeout: 100 },
    want: "00 0029 04d0 00 00 0000 000c 000f 0002 0003 000b 0002 0064",
  },
];
for (const { name, fields, want } of OPT_CASES) {
  test(`writeOpt() writes an OPT record with ${name}, as large as optOctets() says`, () => {
    const out = buffer();
    const record = { ...createOptFields(), ...fields };
    const end = writeOpt(out, 3, record);
    assert.equal(end - 3, optOctets(record));
    assert.deepEqual([...out.subarray(3, end)], hex(want));
    assert.deepEqual([out[2], out[end]], [FILL, FILL]);
  });
}

test("createOptFields() asks for no option", () => {
  const { edeCode, keepaliveTimeout } = createOptFields();
  assert.deepEqual({ edeCode, keepaliveTimeout }, { edeCode: EDE_NONE, keepaliveTimeout: KEEPALIVE_NONE });
});
