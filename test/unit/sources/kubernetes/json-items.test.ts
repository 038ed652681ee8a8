import assert from "node:assert/strict";
import { test } from "node:test";
import { JsonItems } from "../../../../src/sources/kubernetes/json-items.ts";

const encoder = new TextEncoder();

function itemsOf(text: string, options: { chunkBytes?: number; maxItemBytes?: number } = {}) {
  const items: unknown[] = [];
  const scanner = new JsonItems(
    { onItem: (item) => void items.push(item), onKind: () => undefined },
    options.maxItemBytes,
  );
  const bytes = encoder.encode(text);
  const step = options.chunkBytes ?? Math.max(1, bytes.length);
  let problem: string | undefined;
  for (let at = 0; at < bytes.length; at += step) {
    const chunk = bytes.slice(at, at + step);
    problem ??= scanner.push(chunk);
    chunk.fill(0);
  }
  return { items, problem: problem ?? scanner.finish(), header: scanner.header };
}

test("JsonItems reads items before and after the rest of the list, in chunks of any size", () => {
  const item = { name: 'a"]}\\', nested: [{ deep: [1, -2.5e3, true, null] }], text: "漢\u0000{[" };
  const header =
    '"kind":"ServiceList","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":"next"}';
  const lists = [
    `{${header},"items":[${JSON.stringify(item)},{}]}`,
    `{"items":[${JSON.stringify(item)},{}],${header}}`,
    ` \n{ ${header} , "other" : [1,{"items":[{}]}] , "n": 12 , "t" : true, "items" : [ ${JSON.stringify(item)} , {} ] }\r\n`,
  ];
  for (const list of lists) {
    for (let chunkBytes = 1; chunkBytes < list.length + 4; chunkBytes++) {
      const { items, problem, header } = itemsOf(list, { chunkBytes });
      assert.equal(problem, undefined);
      assert.deepEqual(items, [item, {}]);
      assert.deepEqual(header, { kind: "ServiceList", resourceVersion: "7", continueToken: "next" });
    }
  }
});

test("JsonItems hands an item over as soon as its last byte is there", () => {
  const items: unknown[] = [];
  const scanner = new JsonItems({ onItem: (item) => void items.push(item), onKind: () => undefined });
  scanner.push(encoder.encode('{"items":[{"a":1}'));
  assert.deepEqual(items, [{ a: 1 }]);
});

test("JsonItems takes null, an empty list and no items at all as no items", () => {
  for (const list of ['{"items":null}', '{"items":[]}', "{}", '{"kind":"ServiceList"}']) {
    assert.deepEqual(itemsOf(list).items, []);
    assert.equal(itemsOf(list).problem, undefined, list);
  }
});

test("JsonItems tells what is wrong with anything else", () => {
  const bodies: Record<string, RegExp> = {
    "": /the body is empty/,
    "<html>": /expected a list's opening brace, got "<"/,
    "[]": /expected a list's opening brace/,
    '"items"': /expected a list's opening brace/,
    '{"items":[{"a":1}': /ended within the list/,
    '{"items":[{"a":1}]': /ended within the list/,
    '{"items":[{"a":1': /ended within the list/,
    '{"items":[1]}': /expected an object or a closing bracket, got "1"/,
    '{"items":[{},]}': /expected an object, got "]"/,
    '{"items":[{}{}]}': /expected a comma or a closing bracket/,
    '{"items":{}}': /items begins with "{"; accepted is a list or null/,
    '{"items":"x"}': /items begins with/,
    '{"items":nil}': /a field of the list is not JSON/,
    '{"items":[],"items":[]}': /items twice/,
    '{"items":[{"a":tru}]}': /an item of the list is not JSON/,
    '{"items":[{"a":1]]}': /an item of the list is not JSON/,
    '{"kind" "x"}': /expected a colon/,
    '{"kind":}': /expected a value/,
    '{"kind":"a"}{}': /expected nothing after the list/,
    "{,}": /expected a field's name/,
    '{"a":1,}': /expected a field's name/,
  };
  for (const [body, expected] of Object.entries(bodies)) {
    assert.match(String(itemsOf(body).problem), expected, body);
    assert.match(String(itemsOf(body, { chunkBytes: 1 }).problem), expected, body);
  }
});

test("JsonItems refuses an item or a field that is too large, before it has all of it", () => {
  const item = JSON.stringify({ text: "x".repeat(200) });
  const { problem, items } = itemsOf(`{"items":[{},${item}]}`, { chunkBytes: 16, maxItemBytes: 100 });
  assert.match(String(problem), /^an item of at least 1\d\d bytes came; at most 100 are accepted$/);
  assert.deepEqual(items, [{}]);
  assert.match(
    String(itemsOf(`{"kind":"${"x".repeat(70_000)}"}`).problem),
    /^a field of at least 70002 bytes/,
  );
});

test("JsonItems stops at a kind that is not wanted", () => {
  const scanner = new JsonItems({ onItem: () => assert.fail("an item"), onKind: (kind) => `not ${kind}` });
  assert.equal(scanner.push(encoder.encode('{"kind":"PodList","items":[{}]}')), "not PodList");
});
