import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { agentCommand } from "../../../src/cli/agent-command.ts";
import { runCommand } from "../../../src/cli/commands.ts";
import type { AgentConfig } from "../../../src/config/agent-config.ts";

function capture(args: readonly string[]) {
  const texts = { out: "", err: "" };
  const console = {
    args,
    env: {},
    out: (text: string) => void (texts.out += text),
    err: (text: string) => void (texts.err += text),
  };
  return { texts, console };
}

async function run(...args: string[]) {
  const { texts, console } = capture(args);
  const code = await runCommand(console, "1.2.3");
  return { code, ...texts };
}

async function agent(...args: string[]) {
  const started: AgentConfig[] = [];
  const { texts, console } = capture(args);
  const code = await agentCommand(console, false, (config) => {
    started.push(config);
    return Promise.resolve(7);
  });
  return { code, started, ...texts };
}

suite("holdfast", () => {
  test("without a command tells how it is called, and that it was not", async () => {
    const { code, out, err } = await run();
    assert.deepEqual([code, out], [2, ""]);
    assert.match(
      err,
      /^Usage: holdfast COMMAND[^]*\n {2}agent {2,}\w[^]*\n {2}lookup {2,}\w[^]*\n {2}render {2,}\w/,
    );
  });

  test("tells its version and help on standard output", async () => {
    assert.deepEqual(await run("--version"), { code: 0, out: "holdfast 1.2.3\n", err: "" });
    for (const args of [["--help"], ["help"], ["-h"]]) {
      const { code, out, err } = await run(...args);
      assert.deepEqual([code, err], [0, ""]);
      assert.match(out, /^Usage: holdfast COMMAND/);
    }
    assert.match((await run("help", "agent")).out, /^Usage: holdfast agent/);
    const lookupHelp = await run("help", "lookup");
    assert.match(lookupHelp.out, /^Usage: holdfast lookup NAME/);
    assert.deepEqual(await run("lookup", "--help"), lookupHelp);
  });

  test("names what a wrong word may have meant", async () => {
    const accepted = "accepted are agent lookup diff inject uninject render help --help --version\n";
    const rows = [
      { args: ["lokup"], want: `holdfast: unknown command "lokup" (did you mean lookup?); ${accepted}` },
      {
        args: ["help", "agnet"],
        want: `holdfast: unknown command "agnet" (did you mean agent?); ${accepted}`,
      },
      {
        args: ["--verison"],
        want: `holdfast: unknown flag "--verison" (did you mean --version?); ${accepted}`,
      },
      { args: ["status"], want: `holdfast: unknown command "status"; ${accepted}` },
    ];
    for (const { args, want } of rows) assert.deepEqual(await run(...args), { code: 2, out: "", err: want });
  });
});

suite("holdfast agent", () => {
  test("starts with the settings and ends with the agent's exit code", async () => {
    const { code, started } = await agent("--ttl", "30");
    assert.deepEqual([code, started.length, started[0].ttlSeconds], [7, 1, 30]);
  });

  test("does not start with a wrong setting: exit code 2 and one line", async () => {
    const { code, started, out, err } = await agent("--ttl", "day");
    const want =
      'holdfast agent: ttl: "day" from --ttl: this is not a whole number; accepted is a whole number of seconds from 0 to 3600\n';
    assert.deepEqual([code, started, out, err], [2, [], "", want]);
  });

  test("reads the real file that --config names, or says why not", async () => {
    const { code, err } = await agent("--config", "/nonexistent/holdfast.yaml");
    assert.equal(code, 2);
    assert.match(
      err,
      /^holdfast agent: config: cannot read "\/nonexistent\/holdfast.yaml" from --config: ENOENT: .*\n$/,
    );
  });

  test("tells its help", async () => {
    const { code, started, out } = await agent("--help");
    assert.deepEqual([code, started], [0, []]);
    assert.match(out, /^Usage: holdfast agent/);
  });
});
