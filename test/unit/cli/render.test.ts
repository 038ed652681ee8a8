import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { render } from "../../../src/cli/render.ts";

async function run(args: readonly string[], files: Readonly<Record<string, string>> = {}) {
  let out = "";
  let err = "";
  const console = {
    args,
    env: {},
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
  };
  const readText = (path: string) =>
    Object.hasOwn(files, path)
      ? Promise.resolve(files[path])
      : Promise.reject(new Error(`ENOENT: no such file or directory, open '${path}'`));
  const code = await render(console, "1.2.3", readText);
  return { code, out, err };
}

suite("render prints", () => {
  test("a static pod, of its own version", async () => {
    const { code, out, err } = await run(["static-pod"]);
    assert.deepEqual([code, err], [0, ""]);
    assert.match(
      out,
      /^# Made by: holdfast render static-pod\.[^]*\napiVersion: v1\nkind: Pod\n[^]*holdfast:1\.2\.3\n/,
    );
  });

  test("systemd units with the values of several files", async () => {
    const files = { "a.yaml": "answers: {ttl: 7}\n", "b.yaml": "clusterDomain: corp.example\n" };
    const args = ["systemd", "--values", "a.yaml", "--values=b.yaml", "--only", "holdfast.service"];
    const { code, out } = await run(args, files);
    assert.equal(code, 0);
    assert.match(out, /--zone=corp\.example [^]*--ttl=7 /);
  });

  test("its help", async () => {
    const { code, out, err } = await run(["--help"]);
    assert.deepEqual([code, err], [0, ""]);
    assert.match(out, /^Usage: holdfast render static-pod\|systemd/);
  });
});

const CALLED_WRONGLY: readonly (readonly [args: readonly string[], want: string])[] = [
  [[], "what to render is missing; accepted is static-pod or systemd"],
  [["static-pods"], '"static-pods" is unknown (did you mean static-pod?); accepted is static-pod or systemd'],
  [["systemd", "x"], 'unexpected argument "x"; accepted is static-pod or systemd'],
  [
    ["systemd", "--values=gone.yaml"],
    "--values: cannot read \"gone.yaml\": ENOENT: no such file or directory, open 'gone.yaml'; accepted is a readable YAML file",
  ],
  [["systemd", "--values=bad.yaml"], "bad.yaml: answers.ttl: it is a text; accepted is a number"],
  [["static-pod", "--only=x"], '--only: "x"; accepted is one of holdfast.yaml'],
  [["systemd", "--set=a=b"], 'unknown flag "--set"; accepted are --values --only --help'],
];

suite("render called wrongly exits with 2 and says", () => {
  for (const [args, want] of CALLED_WRONGLY) {
    test(want.slice(0, 80), async () => {
      const { code, out, err } = await run(args, { "bad.yaml": "answers: {ttl: day}" });
      assert.deepEqual([code, out, err], [2, "", `holdfast render: ${want}\n`]);
    });
  }
});
