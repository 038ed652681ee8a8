import assert from "node:assert/strict";
import { test } from "node:test";
import { parseManifest } from "../../../../src/sources/manifests/manifest-parser.ts";

test("the documents of a YAML file are objects with their lines; empty ones are none", async () => {
  const text = "# a comment\n---\nkind: Service\n---\n---\n# nothing here\n---\n\nkind: Namespace\n...\n";
  assert.deepEqual(await parseManifest("web.yaml", text), {
    objects: [
      { where: "web.yaml document 1 line 3", value: { kind: "Service" } },
      { where: "web.yaml document 4 line 9", value: { kind: "Namespace" } },
    ],
    problems: [],
  });
});

test("a List is its items, each with its line", async () => {
  const text = "apiVersion: v1\nkind: List\nitems:\n- kind: Service\n  metadata: {}\n- kind: Namespace\n";
  const { objects } = await parseManifest("all.yml", text);
  assert.deepEqual(
    objects.map(({ where }) => where),
    ["all.yml document 1 line 1 item 1 line 4", "all.yml document 1 line 1 item 2 line 6"],
  );
});

test("the items of a typed list, as the API serves it, get its kind", async () => {
  const text = JSON.stringify({
    kind: "ServiceList",
    apiVersion: "v1",
    items: [{ metadata: { name: "web" } }],
  });
  assert.deepEqual(await parseManifest("services.json", text), {
    objects: [
      {
        where: "services.json document 1 item 1",
        value: { kind: "Service", apiVersion: "v1", metadata: { name: "web" } },
      },
    ],
    problems: [],
  });
});

test("a broken document is a problem with its line, and the others are read", async () => {
  const { objects, problems } = await parseManifest(
    "web.yaml",
    "kind: A\n---\nkind: B\n  bad: [\n---\nkind: C\n",
  );
  assert.deepEqual(
    objects.map(({ value }) => value),
    [{ kind: "A" }, { kind: "C" }],
  );
  assert.equal(problems.length, 1);
  assert.match(problems[0].where, /^web\.yaml document 2 line [345]$/);
  assert.match(problems[0].reason, /^YAML: \S.*/);
  assert.ok(!problems[0].reason.includes("\n"));
});

const HOSTILE = [
  { name: "bad.json", text: '{"kind": }', reason: /^JSON: .*"\{"kind": \}"/ },
  { name: "bad.yaml", text: "a: *unknown", reason: /^YAML: .*unknown/ },
  {
    name: "bomb.yaml",
    text: `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c]\n`,
    reason: /alias/i,
  },
  { name: "deep.yaml", text: "[".repeat(20_000), reason: /\S/ },
  { name: "deep.json", text: "[".repeat(200_000), reason: /\S/ },
];
for (const { name, text, reason } of HOSTILE) {
  test(`${name} is a problem, not an exception`, async () => {
    const { objects, problems } = await parseManifest(name, text);
    assert.deepEqual(objects, []);
    assert.match(problems[0].reason, reason);
    assert.ok(problems[0].where.startsWith(name));
  });
}

test("blank files and byte order marks are nothing", async () => {
  for (const name of ["a.yaml", "a.json"]) {
    assert.deepEqual(await parseManifest(name, " \n"), { objects: [], problems: [] });
  }
  assert.equal((await parseManifest("a.json", '\uFEFF{"kind":"Service"}')).objects.length, 1);
});
