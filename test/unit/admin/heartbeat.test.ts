import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { Condition } from "../../../src/admin/admin-view.ts";
import { Heartbeat } from "../../../src/admin/heartbeat.ts";
import { waitUntil } from "../../support/control-plane-process.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { RecordingLog } from "../../support/recording-log.ts";
import { sampleView } from "./sample-view.ts";

function condition(isMet: boolean): readonly Condition[] {
  return [{ name: "some", isMet, reason: "" }];
}

function createHeartbeat(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-heartbeat-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const is = { alive: true, ready: true };
  const view = sampleView({ health: () => condition(is.alive), readiness: () => condition(is.ready) });
  const clock = new FakeClock({ wallMs: Date.UTC(2026, 0, 2, 13) });
  const log = new RecordingLog();
  const heartbeat = new Heartbeat({ directory, view, clock, log });
  t.after(() => heartbeat.stop());
  const written = (name: string) => {
    const path = join(directory, name);
    return existsSync(path) ? readFileSync(path, "utf8").trim() : "";
  };
  /** A second at a time, until the files say so. */
  const until = (what: string, isSo: () => boolean) =>
    waitUntil(
      what,
      () => {
        if (isSo()) return Promise.resolve(true);
        clock.advance(1000);
        return Promise.resolve(undefined);
      },
      { timeoutMs: 5000, intervalMs: 5 },
    );
  return { directory, is, clock, log, heartbeat, written, until };
}

test("both files are written each second while all is well", async (t) => {
  const { heartbeat, written, until } = createHeartbeat(t);
  heartbeat.start();
  await until("ready", () => written("ready") !== "");
  const first = written("ready");
  assert.match(first, /^2026-01-02T13:00:\d\d\.000Z$/);
  await until("a later beat", () => written("ready") > first && written("alive") > first);
});

test("ready goes with readiness and comes again with it; alive stays", async (t) => {
  const { heartbeat, is, written, until } = createHeartbeat(t);
  is.ready = false;
  heartbeat.start();
  await until("alive", () => written("alive") !== "");
  assert.equal(written("ready"), "");
  is.ready = true;
  await until("ready", () => written("ready") !== "");
  is.ready = false;
  await until("not ready", () => written("ready") === "");
});

test("alive grows old when the DNS loop gives no answer", async (t) => {
  const { heartbeat, is, written, until } = createHeartbeat(t);
  heartbeat.start();
  await until("ready", () => written("ready") !== "");
  is.alive = false;
  const last = written("ready");
  await until("later", () => written("ready") > last);
  const alive = written("alive");
  const later = written("ready");
  await until("still later", () => written("ready") > later);
  assert.equal(written("alive"), alive);
});

test("stop() takes ready away and nothing brings it back", async (t) => {
  const { heartbeat, clock, written, until } = createHeartbeat(t);
  heartbeat.start();
  await until("ready", () => written("ready") !== "");
  await heartbeat.stop();
  assert.equal(written("ready"), "");
  clock.advance(10_000);
  await heartbeat.stop();
  assert.equal(written("ready"), "");
});

test("a directory that cannot be written is said once, and the heartbeat comes back with it", async (t) => {
  const { heartbeat, directory, log, written, until } = createHeartbeat(t);
  rmSync(directory, { recursive: true });
  heartbeat.start();
  let seconds = 0;
  await until("some failed beats", () => log.lines.length > 0 && seconds++ > 20);
  assert.deepEqual(
    log.lines.map(({ message }) => message),
    ["heartbeat cannot be written; probes of this pod fail"],
  );
  const { mkdirSync } = await import("node:fs");
  mkdirSync(directory);
  await until("ready", () => written("ready") !== "");
});
