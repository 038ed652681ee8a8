import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseDemoArgs } from "../../../src/demo/demo-options.ts";

const DEFAULTS = {
  type: "demo",
  listen: { family: 4, address: "127.0.0.1", port: 5353 },
  admin: { family: 4, address: "127.0.0.1", port: 9853 },
  outage: false,
  agentArgs: [],
};

suite("parseDemoArgs()", () => {
  test("without arguments is the demo on the default addresses", () => {
    assert.deepEqual(parseDemoArgs([]), DEFAULTS);
  });

  test("takes its own flags in both spellings, and hands all others to the agent", () => {
    const args = [
      "--listen",
      "[::1]:5454",
      "--ttl",
      "9",
      "--admin=127.0.0.1:9000",
      "--outage",
      "--log-level=debug",
    ];
    assert.deepEqual(parseDemoArgs(args), {
      type: "demo",
      listen: { family: 6, address: "::1", port: 5454 },
      admin: { family: 4, address: "127.0.0.1", port: 9000 },
      outage: true,
      agentArgs: ["--ttl", "9", "--log-level=debug"],
    });
  });

  for (const args of [
    ["--kubeconfig", "file"],
    ["--kubeconfig=file", "--listen", "127.0.0.1:5454"],
    ["--manifests", "dir"],
  ]) {
    test(`"${args.join(" ")}" is the agent alone, with every argument`, () => {
      assert.deepEqual(parseDemoArgs(args), { type: "agent", agentArgs: args });
    });
  }

  for (const { args, problem } of [
    { args: ["--listen", "localhost:53"], problem: /^--listen "localhost:53": .*accepted is ADDR:PORT/ },
    { args: ["--listen"], problem: /^--listen "": / },
    { args: ["--admin=127.0.0.1:0"], problem: /^--admin "127.0.0.1:0": .*port/ },
  ]) {
    test(`"${args.join(" ")}" is refused with what is accepted`, () => {
      const command = parseDemoArgs(args);
      assert.ok(command.type === "misuse");
      assert.match(command.problem, problem);
    });
  }

  test("--help shows the help", () => {
    assert.deepEqual(parseDemoArgs(["--outage", "--help"]), { type: "help" });
  });
});
