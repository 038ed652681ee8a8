import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execFileSync } from "node:child_process";
import type { TestContext } from "node:test";
import { suite, test } from "node:test";
import { AdminServer } from "../../../src/admin/admin-server.ts";
import type { AdminView } from "../../../src/admin/admin-view.ts";
import type { LogFields } from "../../../src/base/logger.ts";
import { parseAdminAddress } from "../../../src/config/addresses.ts";
import type { AdminAddress } from "../../../src/config/agent-config.ts";
import { createExposition } from "../../../src/metrics/exposition.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { RecordingLog } from "../../support/recording-log.ts";
import { sampleView } from "./sample-view.ts";

/** Tells when a line comes. */
class NotifyingLog extends RecordingLog {
  readonly events = new EventEmitter();

  override info(message: string, fields: LogFields = {}): void {
    super.info(message, fields);
    this.events.emit(message);
  }
}

async function start(t: TestContext, addresses: readonly string[], view: AdminView = sampleView()) {
  const log = new NotifyingLog();
  const clock = new FakeClock({ wallMs: Date.UTC(2026, 0, 2, 13) });
  const server = new AdminServer({
    addresses: addresses.map(address),
    view,
    metrics: createExposition(view),
    clock,
    log,
  });
  t.after(() => server.stop());
  await server.start();
  return { server, clock, log };
}

function address(text: string): AdminAddress {
  const parsed = parseAdminAddress(text);
  assert.ok("value" in parsed);
  return parsed.value;
}

interface Reply {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function ask(
  where: AdminAddress,
  path: string,
  { method = "GET", headers = {} }: Ask = {},
): Promise<Reply> {
  const target =
    where.type === "unix"
      ? { socketPath: where.path }
      : { host: where.address.address, port: where.address.port };
  const outgoing = request({ ...target, path, method, headers, agent: false });
  outgoing.end();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  let body = "";
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, headers: response.headers, body };
}

async function askLoopback(
  t: TestContext,
  path: string,
  how: Ask & { readonly view?: AdminView } = {},
): Promise<Reply> {
  const { server } = await start(t, ["127.0.0.1:0"], how.view);
  return ask(server.openAddresses()[0], path, how);
}

suite("AdminServer routes", () => {
  test("/healthz and /readyz list their conditions", async (t) => {
    const healthy = await askLoopback(t, "/healthz");
    assert.deepEqual([healthy.status, healthy.body], [200, "ok\nok dns-loop: 2 ms late at worst\n"]);
    const ready = await askLoopback(t, "/readyz?verbose");
    assert.deepEqual([ready.status, ready.body], [200, "ok\nok dns-sockets: 2 of 2 open\n"]);
  });

  test("/healthz and /readyz are 503 with the reason when a condition is not met", async (t) => {
    const conditions = [
      { name: "dns-sockets", isMet: true, reason: "2 of 2 open" },
      { name: "answers", isMet: false, reason: "no Service was ever seen" },
    ];
    const view = sampleView({ health: () => conditions, readiness: () => conditions });
    for (const path of ["/healthz", "/readyz"]) {
      const { status, body } = await askLoopback(t, path, { view });
      assert.equal(status, 503);
      assert.equal(body, "failed\nok dns-sockets: 2 of 2 open\nfailed answers: no Service was ever seen\n");
    }
  });

  test("/metrics is the exposition", async (t) => {
    const { status, headers, body } = await askLoopback(t, "/metrics");
    assert.deepEqual([status, headers["content-type"]], [200, "text/plain; version=0.0.4; charset=utf-8"]);
    assert.match(body, /^holdfast_dns_requests_total\{transport="udp"\} 100$/m);
  });

  test("/status is JSON for those who ask for it", async (t) => {
    const { headers, body } = await askLoopback(t, "/status", { headers: { accept: "application/json" } });
    assert.equal(headers["content-type"], "application/json; charset=utf-8");
    const status = JSON.parse(body) as Record<string, never>;
    assert.equal(status["summary"], "everything is live");
    assert.equal(status["at"], "2026-01-02T13:00:00.000Z");
    assert.deepEqual(status["traffic"]["responsesByRcode"], { NOERROR: 90, BADCOOKIE: 1 });
    assert.deepEqual(status["config"]["admin"], ["unix:/run/holdfast.sock"]);
    assert.deepEqual(status["config"]["listen"], ["[::1]:5353"]);
    assert.deepEqual(status["api"], { requestsByOutcome: { ok: 12 }, watchRestarts: 3 });
  });

  test("/status is a page for browsers, which name HTML beside JSON", async (t) => {
    for (const accept of ["text/html,application/xhtml+xml,application/json;q=0.9", "*/*"]) {
      const { headers, body } = await askLoopback(t, "/status", { headers: { accept } });
      assert.equal(headers["content-type"], "text/html; charset=utf-8");
      assert.match(body, /^<!doctype html>/);
    }
  });

  test("anything else is 404 with the list of routes", async (t) => {
    const { status, body } = await askLoopback(t, "/stats");
    assert.equal(status, 404);
    for (const path of ["/healthz", "/readyz", "/metrics", "/status"])
      assert.ok(body.includes(`\n${path}  `), body);
  });

  test("a view that throws is a 500 with the reason, and the next request is answered", async (t) => {
    const view = sampleView({
      kinds: () => {
        throw new Error("no kinds today");
      },
    });
    const { server } = await start(t, ["127.0.0.1:0"], view);
    const [where] = server.openAddresses();
    for (const path of ["/status", "/metrics"]) {
      const { status, body } = await ask(where, path);
      assert.deepEqual([status, body], [500, `${path} failed: no kinds today\n`]);
    }
    assert.equal((await ask(where, "/healthz")).status, 200);
  });
});

suite("AdminServer hardening", () => {
  test("sends no page that a browser would run, frame, sniff or keep", async (t) => {
    const { headers } = await askLoopback(t, "/status");
    assert.match(
      String(headers["content-security-policy"]),
      /^default-src 'none'; style-src 'unsafe-inline'; /,
    );
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers["access-control-allow-origin"], undefined);
  });

  test("answers GET and HEAD only", async (t) => {
    const { server } = await start(t, ["127.0.0.1:0"]);
    const [where] = server.openAddresses();
    const get = await ask(where, "/healthz");
    const head = await ask(where, "/healthz", { method: "HEAD" });
    assert.deepEqual([head.status, head.body], [200, ""]);
    assert.equal(head.headers["content-length"], get.headers["content-length"]);
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const { status, headers } = await ask(where, "/healthz", { method });
      assert.deepEqual([status, headers.allow], [405, "GET, HEAD"]);
    }
  });

  test("refuses the Host of a rebound name", async (t) => {
    const { server } = await start(t, ["127.0.0.1:0"]);
    const [where] = server.openAddresses();
    const { status, body } = await ask(where, "/status", { headers: { host: "evil.example:9853" } });
    assert.equal(status, 403);
    assert.doesNotMatch(body, /cluster\.local/);
    for (const host of ["localhost:1", "LOCALHOST", "127.0.0.1", "[::1]:9853"])
      assert.equal((await ask(where, "/healthz", { headers: { host } })).status, 200, host);
  });

  test("refuses headers above 8 KiB", async (t) => {
    const { status } = await askLoopback(t, "/healthz", { headers: { "x-long": "x".repeat(9000) } });
    assert.equal(status, 431);
  });
});

suite("AdminServer listening", () => {
  test("logs a port in use, opens the others, and opens it when it is free", async (t) => {
    const blocker = createServer().listen(0, "127.0.0.1");
    await once(blocker, "listening");
    const { port } = blocker.address() as AddressInfo;
    const { server, clock, log } = await start(t, [`127.0.0.1:${port}`, "127.0.0.1:0"]);
    assert.deepEqual(log.messages("error"), ["admin address cannot be opened"]);
    const failure = log.lines.find(({ level }) => level === "error");
    assert.ok(failure);
    assert.equal(failure.fields["address"], `127.0.0.1:${port}`);
    assert.equal((failure.fields["error"] as NodeJS.ErrnoException).code, "EADDRINUSE");
    assert.equal(server.openAddresses().length, 1);
    assert.equal((await ask(server.openAddresses()[0], "/healthz")).status, 200);
    blocker.close();
    await once(blocker, "close");
    const opened = once(log.events, "admin address open");
    clock.advance(5000);
    await opened;
    assert.equal((await ask(address(`127.0.0.1:${port}`), "/healthz")).status, 200);
  });

  test("serves a socket file, whatever the Host, and removes it at the end", async (t) => {
    const path = join(temporaryDirectory(t), "admin.sock");
    const { server } = await start(t, [`unix:${path}`]);
    const reply = await ask(address(`unix:${path}`), "/healthz", { headers: { host: "anything" } });
    assert.equal(reply.status, 200);
    await server.stop();
    await server.stop();
    assert.equal(existsSync(path), false);
  });

  test("replaces the socket file of a killed process", async (t) => {
    const path = join(temporaryDirectory(t), "admin.sock");
    const code = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    assert.throws(() => execFileSync(process.execPath, ["-e", code], { stdio: "ignore" }));
    assert.ok(existsSync(path));
    await start(t, [`unix:${path}`]);
    assert.equal((await ask(address(`unix:${path}`), "/healthz")).status, 200);
  });

  test("takes the socket file of nobody who is alive, and no other file", async (t) => {
    const directory = temporaryDirectory(t);
    const [alive, file] = [join(directory, "alive.sock"), join(directory, "file")];
    await start(t, [`unix:${alive}`]);
    writeFileSync(file, "precious");
    const { server, log } = await start(t, [`unix:${alive}`, `unix:${file}`]);
    assert.equal(server.openAddresses().length, 0);
    assert.deepEqual(
      log.lines.map(({ fields }) => (fields["error"] as NodeJS.ErrnoException).code),
      ["EADDRINUSE", "EADDRINUSE"],
    );
    assert.equal((await ask(address(`unix:${alive}`), "/healthz")).status, 200);
    assert.ok(existsSync(file));
  });
});

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-admin-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
