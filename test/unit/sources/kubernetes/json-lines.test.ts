import assert from "node:assert/strict";
import { test } from "node:test";
import { JsonLines } from "../../../../src/sources/kubernetes/json-lines.ts";

const encoder = new TextEncoder();

function linesOf(chunks: readonly (string | Uint8Array)[], maxLineBytes?: number) {
  const lines: string[] = [];
  const reader = new JsonLines((line) => void lines.push(line), maxLineBytes);
  let problem: string | undefined;
  for (const chunk of chunks) {
    problem ??= reader.push(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
  }
  return { lines, problem: problem ?? reader.finish() };
}

test("JsonLines joins what was cut anywhere, also within a character", () => {
  const bytes = encoder.encode('{"a":"é漢"}\n{"b":1}\n');
  for (let cut = 0; cut <= bytes.length; cut++) {
    const { lines, problem } = linesOf([bytes.slice(0, cut), bytes.slice(cut)]);
    assert.deepEqual(lines, ['{"a":"é漢"}', '{"b":1}']);
    assert.equal(problem, undefined);
  }
});

test("JsonLines stops at the reader's first problem", () => {
  const lines: string[] = [];
  const reader = new JsonLines((line) => {
    lines.push(line);
    return line === "bad" ? "no" : undefined;
  });
  assert.equal(reader.push(encoder.encode("good\nbad\nnever\n")), "no");
  assert.deepEqual(lines, ["good", "bad"]);
});

test("JsonLines refuses a line that is too long, whole or in pieces, and takes one of exactly the limit", () => {
  const tooLong = "a line of more than 11 bytes came; at most 10 are accepted";
  assert.equal(linesOf(["12345678901\n"], 10).problem, tooLong);
  assert.equal(linesOf(["123456", "78901"], 10).problem, tooLong);
  assert.deepEqual(linesOf(["123456", "7890\n1\n"], 10), { lines: ["1234567890", "1"], problem: undefined });
});

test("JsonLines tells a stream that ended within a line", () => {
  assert.equal(linesOf(["{}\n{"]).problem, "the stream ended within a line, after 1 bytes of it");
});
