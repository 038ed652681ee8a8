import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { MessageSplitter } from "../../../src/server/tcp-framing.ts";

function frame(messages: readonly Uint8Array[]): Uint8Array {
  const octets: number[] = [];
  for (const message of messages) octets.push(message.length >> 8, message.length & 255, ...message);
  return Uint8Array.from(octets);
}

function takeAll(splitter: MessageSplitter): number[][] {
  const messages: number[][] = [];
  for (let next = splitter.next(); next !== undefined; next = splitter.next()) messages.push([...next]);
  return messages;
}

function split(stream: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length];
  return at.slice(1).map((end, index) => stream.slice(at[index], end));
}

test("MessageSplitter gives the same messages whatever the segments are", () => {
  const message = fc.uint8Array({ maxLength: 700 });
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 12 }),
      fc.array(fc.nat(), { maxLength: 40 }),
      (messages, cuts) => {
        const splitter = new MessageSplitter();
        const got: number[][] = [];
        for (const segment of split(frame(messages), cuts)) {
          splitter.push(segment);
          got.push(...takeAll(splitter));
        }
        assert.deepEqual(
          got,
          messages.map((each) => [...each]),
        );
        assert.equal(splitter.pendingOctets, 0);
      },
    ),
  );
});

test("MessageSplitter keeps messages that were not taken before the next segment", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 90 }), { maxLength: 9 }),
      fc.array(fc.nat()),
      (messages, cuts) => {
        const splitter = new MessageSplitter();
        for (const segment of split(frame(messages), cuts)) splitter.push(segment);
        assert.deepEqual(
          takeAll(splitter),
          messages.map((each) => [...each]),
        );
      },
    ),
  );
});

test("MessageSplitter takes the longest message octet by octet in linear time", () => {
  const message = new Uint8Array(65535).fill(7);
  const splitter = new MessageSplitter();
  for (const octet of frame([message])) {
    assert.equal(splitter.next(), undefined);
    splitter.push(Uint8Array.of(octet));
  }
  assert.deepEqual(splitter.next(), message);
});

test("MessageSplitter gives an empty message for the length 0", () => {
  const splitter = new MessageSplitter();
  splitter.push(Uint8Array.of(0, 0, 0, 1, 9));
  assert.deepEqual(takeAll(splitter), [[], [9]]);
});

test("MessageSplitter does not touch the segments it was given", () => {
  const segment = Uint8Array.of(0, 4, 1);
  const splitter = new MessageSplitter();
  splitter.push(segment);
  splitter.push(Uint8Array.of(2, 3, 4));
  assert.deepEqual(takeAll(splitter), [[1, 2, 3, 4]]);
  assert.deepEqual(segment, Uint8Array.of(0, 4, 1));
});
