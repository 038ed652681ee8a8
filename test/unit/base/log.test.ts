import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { LogOptions } from "../../../src/base/log.ts";
import { createLogger, redact } from "../../../src/base/log.ts";

const NOON_MS = Date.UTC(2026, 0, 2, 12);

async function capture(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const log = await createLogger({
    level: "info",
    format: "json",
    wallMs: () => NOON_MS,
    destination: { write: (line) => lines.push(line) },
    ...options,
  });
  return { log, lines, records: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

suite("createLogger()", () => {
  test("writes one JSON line per event: level, time, component, fields, message", async () => {
    const { log, lines } = await capture();
    log.info("started", { port: 5353 });
    log.child("kubernetes").warn("watch ended", { feed: "services" });
    assert.deepEqual(lines, [
      '{"level":"info","ts":"2026-01-02T12:00:00.000Z","port":5353,"msg":"started"}\n',
      '{"level":"warn","ts":"2026-01-02T12:00:00.000Z","component":"kubernetes","feed":"services","msg":"watch ended"}\n',
    ]);
  });

  test("writes errors with code, message, stack and cause", async () => {
    const { log, records } = await capture();
    const cause = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    log.error("list failed", { error: new Error("no list", { cause }) });
    log.error("list failed", { error: "a string" });
    const [first, second] = records() as { error: { cause: object } }[];
    assert.deepEqual(Object.keys(first.error), ["message", "stack", "cause"]);
    assert.deepEqual(Object.keys(first.error.cause), ["code", "message", "stack"]);
    assert.equal(second.error, "a string");
  });

  test("leaves out what is below the level", async () => {
    const { log, records } = await capture({ level: "warn" });
    log.debug("a");
    log.info("b");
    log.warn("c");
    log.child("x").error("d");
    assert.deepEqual(
      records().map(({ msg }) => msg),
      ["c", "d"],
    );
  });

  test("cuts a message that repeats, and tells how often it was", async () => {
    let nowMs = NOON_MS;
    const { log, records } = await capture({ wallMs: () => nowMs });
    for (let at = 0; at < 100; at++) log.warn("object rejected", { at });
    log.child("other").warn("object rejected");
    assert.equal(records().length, 21);
    nowMs += 60_000;
    log.warn("object rejected", { at: 100 });
    log.warn("object rejected", { at: 101 });
    const [first, second] = records().slice(-2);
    assert.deepEqual([first["at"], first["suppressed"], second["suppressed"]], [100, 80, undefined]);
  });

  test("writes for people in the pretty format, with the component before the message", async () => {
    const { log, lines } = await capture({ format: "pretty" });
    log.child("snapshot").info("written", { sizeBytes: 12 });
    assert.match(lines.join(""), /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: snapshot: written \{"sizeBytes":12\}\n$/);
  });

  test("takes credentials out of every place of a line", async () => {
    for (const format of ["json", "pretty"] as const) {
      const { log, lines } = await capture({ format });
      const token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl";
      log.error("request failed", {
        token: "hunter2hunter2",
        headers: { authorization: "Bearer hunter2hunter2" },
        user: { "client-key-data": "hunter2", password: 'hunter2"hunter2' },
        error: new Error(`rejected Bearer hunter2hunter2 and ${token}`),
        key: "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----\n",
      });
      const text = lines.join("");
      assert.doesNotMatch(text, /hunter2|eyJhbGci/);
      assert.match(text, /rejected Bearer \[redacted\] and \[redacted\]/);
    }
  });
});

test("redact() leaves ordinary words alone", () => {
  const line = '{"msg":"basic setup, bearer of news","tokens":3,"resourceVersion":"12345","key":"value"}';
  assert.equal(redact(line), line);
});

test("createLogger() does not stop the thread when nobody reads standard error", async (t) => {
  const module = join(import.meta.dirname, "../../../src/base/log.ts");
  const code = `
    const { createLogger } = await import(${JSON.stringify(module)});
    const log = await createLogger({ level: "debug", format: "json", wallMs: () => 0 });
    for (let at = 0; at < 5000; at++) log.debug("x".repeat(1000));
    process.stdout.write("done");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => child.kill("SIGKILL"));
  const [text] = (await once(child.stdout, "data")) as [Buffer];
  assert.equal(text.toString(), "done");
});
