import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { RequestListener, ServerResponse } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { TestContext } from "node:test";
import { createApiClient } from "../../../../src/sources/kubernetes/api-client.ts";
import type { ApiClient } from "../../../../src/sources/kubernetes/api-client.ts";
import { Credentials } from "../../../../src/sources/kubernetes/credentials.ts";
import type { ResolvedCredentials } from "../../../../src/sources/kubernetes/credentials.ts";
import { RecordedExchange } from "../../../support/api-exchange.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { certificatePath, certificatePem, keyPath, keyPem } from "../../../support/pki.ts";
import { RecordingLog } from "../../../support/recording-log.ts";
import { startServer } from "../../../support/tls-server.ts";
import type { TestServer, TestServerOptions } from "../../../support/tls-server.ts";

const directory = mkdtempSync(join(tmpdir(), "holdfast-api-client-"));
after(() => rmSync(directory, { recursive: true }));

const SECRET = "s3cr3t-t0ken";
const answerOk: RequestListener = (_, response) => response.end("{}");

async function serve(
  context: TestContext,
  options: TestServerOptions,
  answer: RequestListener = answerOk,
): Promise<TestServer> {
  const server = await startServer(options, answer);
  context.after(() => server.close());
  return server;
}

/** A client with credentials that the test may change: `given` is read at each load, `digest` says that it changed. */
class Setup {
  readonly clock = new FakeClock();
  readonly log = new RecordingLog();
  given: ResolvedCredentials;
  digest = "0";
  loads = 0;
  readonly client: ApiClient;

  constructor(server: string, changes: Partial<ResolvedCredentials> = {}) {
    this.given = {
      server,
      ca: { text: certificatePem("ca") },
      token: { text: SECRET },
      skipTlsVerify: false,
      headers: {},
      needsRefresh: false,
      presents: "the token of the test",
      ...changes,
    };
    const source = {
      inputs: () => ({ digest: this.digest, isComplete: true }),
      load: async () => {
        this.loads += 1;
        return this.given;
      },
    };
    const credentials = new Credentials(source, this);
    this.client = createApiClient({ version: "1.2.3" }, { credentials, clock: this.clock, log: this.log });
  }

  get(path = "/api/v1/services", accept?: string): RecordedExchange {
    return new RecordedExchange(this.client, path, accept);
  }
}

function portOf(url: string): string {
  return new URL(url).host;
}

test("a GET over TLS carries the token, the User-Agent and the accepted type, and gives status, headers and body", async (t) => {
  const server = await serve(t, { certificate: "server" }, (_, response) => {
    response.writeHead(200, { "Content-Type": "application/json", "Retry-After": "7" });
    response.end('{"kind":"ServiceList"}');
  });
  const exchange = new Setup(server.url).get("/api/v1/services?limit=500", "application/json;as=Table");
  assert.deepEqual(await exchange.outcome(), { status: 200, body: '{"kind":"ServiceList"}' });
  const [first] = exchange.events;
  assert.ok(first.type === "response");
  assert.equal(first.headers["retry-after"], "7");

  const [{ url, method, httpVersion, headers }] = server.requests;
  assert.deepEqual([method, url, httpVersion], ["GET", "/api/v1/services?limit=500", "1.1"]);
  assert.equal(headers.authorization, `Bearer ${SECRET}`);
  assert.equal(headers["user-agent"], "holdfast/1.2.3 (node)");
  assert.equal(headers.accept, "application/json;as=Table");
});

test("requests share a connection; the identity says whom they came from", async (t) => {
  const server = await serve(t, { certificate: "server" });
  const setup = new Setup(server.url);
  assert.equal(setup.client.identity(), undefined);
  for (let round = 0; round < 3; round += 1) assert.equal((await setup.get().outcome()).status, 200);
  assert.equal(server.connections, 1);
  const { caFingerprint, configDigest } = setup.client.identity() ?? {};
  assert.match(caFingerprint ?? "", /^[0-9a-f]{64}$/);
  assert.equal(configDigest, "0");
});

test("a server with a base path and plain HTTP", async (t) => {
  const server = await serve(t, {});
  const { ca: _, token: __, ...plain } = new Setup(`${server.url}/k8s/clusters/c-1/`).given;
  const setup = new Setup(plain.server);
  setup.given = plain;
  assert.equal((await setup.get().outcome()).status, 200);
  assert.equal(server.requests[0].url, "/k8s/clusters/c-1/api/v1/services");
  assert.equal(server.requests[0].headers.authorization, undefined);
});

test("chunks arrive as they are sent, and the end after the last", async (t) => {
  let stream: ServerResponse | undefined;
  const server = await serve(t, { certificate: "server" }, (_, response) => {
    stream = response;
    response.writeHead(200);
    response.flushHeaders();
  });
  const exchange = new Setup(server.url).get("/api/v1/services?watch=1");
  assert.equal((await exchange.next()).type, "response");
  stream?.write("one\n");
  assert.deepEqual(await exchange.next(), { type: "data", text: "one\n" });
  stream?.write("two\n");
  assert.deepEqual(await exchange.next(), { type: "data", text: "two\n" });
  stream?.end();
  assert.deepEqual(await exchange.next(), { type: "end" });
});

test("statuses other than 401 are the handler's to judge", async (t) => {
  const server = await serve(t, { certificate: "server" }, (_, response) => {
    response.writeHead(429, { "Retry-After": "7" });
    response.end("slow down");
  });
  assert.deepEqual(await new Setup(server.url).get().outcome(), { status: 429, body: "slow down" });
});

test("abort() ends the stream: the server sees it, the handler hears nothing more", async (t) => {
  const closed = Promise.withResolvers<void>();
  const server = await serve(t, { certificate: "server" }, (_, response) => {
    response.on("close", closed.resolve);
    response.write("one\n");
  });
  const exchange = new Setup(server.url).get();
  await exchange.next();
  await exchange.next();
  exchange.exchange.abort();
  exchange.exchange.abort();
  await closed.promise;
  assert.equal(exchange.events.length, 2);
});

test("abort() before the credentials are there sends nothing", async (t) => {
  const server = await serve(t, { certificate: "server" });
  const setup = new Setup(server.url);
  const aborted = setup.get();
  aborted.exchange.abort();
  assert.equal((await setup.get("/after").outcome()).status, 200);
  assert.deepEqual(
    server.requests.map((request) => request.url),
    ["/after"],
  );
  assert.deepEqual(aborted.events, []);
});

test("connection refused names the server; a kubeconfig with its new address is used without a restart", async (t) => {
  const gone = await startServer({ certificate: "server" }, answerOk);
  const setup = new Setup(gone.url);
  await gone.close();
  const refused = `connection refused by ${portOf(gone.url)} (ECONNREFUSED)`;
  assert.deepEqual(await setup.get().outcome(), { error: refused });

  const server = await serve(t, { certificate: "server" });
  setup.given = { ...setup.given, server: server.url };
  setup.digest = "1";
  setup.clock.advance(10_000);
  assert.equal((await setup.get().outcome()).status, 200);
  assert.equal(setup.client.identity()?.configDigest, "1");
});

const TLS_PROBLEMS = [
  {
    name: "a CA that is not ours",
    certificate: "server-other-ca",
    want: "TLS: the certificate of SERVER is not signed by the configured CA (UNABLE_TO_VERIFY_LEAF_SIGNATURE)",
  },
  {
    name: "an expired certificate",
    certificate: "server-expired",
    want: "TLS: the certificate of SERVER has expired (CERT_HAS_EXPIRED)",
  },
  {
    name: "another name",
    certificate: "server-other-name",
    want:
      "TLS: the certificate of SERVER is for another name: IP: 127.0.0.1 is not in the cert's list:  " +
      "(ERR_TLS_CERT_ALTNAME_INVALID)",
  },
] as const;
for (const { name, certificate, want } of TLS_PROBLEMS) {
  test(`TLS: ${name} is refused, on a first connection and after a good one`, async (t) => {
    const bad = await serve(t, { certificate });
    const error = want.replace("SERVER", portOf(bad.url));
    const fresh = new Setup(bad.url);
    assert.deepEqual(await fresh.get().outcome(), { error });
    assert.equal(fresh.client.identity(), undefined);

    const good = await serve(t, { certificate: "server" });
    const setup = new Setup(good.url);
    assert.equal((await setup.get().outcome()).status, 200);
    good.useCertificate(certificate);
    assert.deepEqual(await setup.get().outcome(), { error: want.replace("SERVER", portOf(good.url)) });
    assert.equal(good.requests.length, 1, "no request, so no token, went to it");
  });
}

test("TLS sessions are not resumed: every connection has its certificate checked", async (t) => {
  const server = await serve(t, { certificate: "server" }, (_, response) => {
    response.setHeader("Connection", "close");
    response.end("{}");
  });
  const setup = new Setup(server.url);
  for (let round = 0; round < 3; round += 1) assert.equal((await setup.get().outcome()).status, 200);
  assert.deepEqual([server.connections, server.resumedSessions], [3, 0]);
});

test("tls-server-name is the name that counts", async (t) => {
  const server = await serve(t, { certificate: "server-other-name" });
  assert.equal(
    (await new Setup(server.url, { tlsServerName: "elsewhere.test" }).get().outcome()).status,
    200,
  );
  const wrong = await new Setup(server.url, { tlsServerName: "kubernetes.test" }).get().outcome();
  assert.match(wrong.error ?? "", /is for another name: Host: kubernetes\.test\. is not in/);
});

test("insecure-skip-tls-verify connects to anything, and warns once", async (t) => {
  const server = await serve(t, { certificate: "server-other-ca" });
  const setup = new Setup(server.url, { skipTlsVerify: true });
  assert.equal((await setup.get().outcome()).status, 200);
  assert.equal((await setup.get().outcome()).status, 200);
  assert.deepEqual(setup.log.messages("warn"), [
    "the API server's certificate is not verified (insecure-skip-tls-verify)",
  ]);
});

test("a server that does not speak TLS, and one that does not speak HTTP", async (t) => {
  const plain = await serve(t, {});
  const noTls = await new Setup(plain.url.replace("http:", "https:")).get().outcome();
  assert.match(
    noTls.error ?? "",
    /^TLS: the handshake with 127\.0\.0\.1:\d+ failed; is it an https server\? \(/,
  );

  const { port } = await listenRaw(t, (socket) => socket.end("SSH-2.0-OpenSSH\r\n"));
  const noHttp = await new Setup(`http://127.0.0.1:${port}`).get().outcome();
  assert.match(noHttp.error ?? "", /^127\.0\.0\.1:\d+ does not answer in HTTP\/1\.1 \(HPE_/);
});

/** A TCP server without a protocol. */
async function listenRaw(
  context: TestContext,
  onSocket: (socket: Socket) => void,
): Promise<{ port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    onSocket(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return server.address() as AddressInfo;
}

test("a token that is rotated on disk is used from the next request on", async (t) => {
  const server = await serve(t, { certificate: "server" });
  const file = join(directory, "token");
  writeFileSync(file, "first\n");
  const setup = new Setup(server.url, { token: { file } });
  await setup.get().outcome();
  writeFileSync(file, "second\n");
  await setup.get().outcome();
  assert.deepEqual(
    server.requests.map((request) => request.headers.authorization),
    ["Bearer first", "Bearer second"],
  );
  assert.equal(server.connections, 1);
  assert.equal(setup.loads, 1);
});

test("a 401 says what was refused, and the next request shows what the file holds then", async (t) => {
  const file = join(directory, "expired-token");
  const server = await serve(t, { certificate: "server" }, (request, response) => {
    response.statusCode = request.headers.authorization === "Bearer fresh" ? 200 : 401;
    response.end("{}");
  });
  writeFileSync(file, SECRET);
  const setup = new Setup(server.url, { token: { file }, presents: `the token in ${file}` });
  assert.deepEqual(await setup.get().outcome(), {
    error: `${portOf(server.url)} answered 401: the token in ${file} was refused (expired?)`,
  });
  assert.equal(setup.client.identity(), undefined);
  writeFileSync(file, "fresh");
  assert.equal((await setup.get().outcome()).status, 200);
});

test("a 401 for a token that was made for us has a new one made", async (t) => {
  const server = await serve(t, { certificate: "server" }, (request, response) => {
    response.statusCode = request.headers.authorization === "Bearer fresh" ? 200 : 401;
    response.end("{}");
  });
  const setup = new Setup(server.url, { needsRefresh: true });
  assert.match((await setup.get().outcome()).error ?? "", /answered 401: the token of the test was refused/);
  setup.given = { ...setup.given, token: { text: "fresh" } };
  setup.clock.advance(10_000);
  assert.equal((await setup.get().outcome()).status, 200);
  assert.equal(setup.loads, 2);
});

test("a CA that is rotated on disk is trusted from the next request on, over a new connection", async (t) => {
  const file = join(directory, "ca.crt");
  writeFileSync(file, certificatePem("other-ca"));
  const server = await serve(t, { certificate: "server" });
  const setup = new Setup(server.url, { ca: { file } });
  assert.match((await setup.get().outcome()).error ?? "", /is not signed by the configured CA/);
  writeFileSync(file, certificatePem("ca"));
  assert.equal((await setup.get().outcome()).status, 200);
  const before = setup.client.identity();

  writeFileSync(file, certificatePem("ca") + certificatePem("other-ca"));
  assert.equal((await setup.get().outcome()).status, 200);
  assert.equal(server.connections, 2, "what was trusted under another CA is not used again");
  assert.notEqual(setup.client.identity()?.caFingerprint, before?.caFingerprint);

  writeFileSync(file, certificatePem("other-ca"));
  assert.match((await setup.get().outcome()).error ?? "", /is not signed by the configured CA/);
});

test("a stream that was open when the CA changed goes on", async (t) => {
  let stream: ServerResponse | undefined;
  const file = join(directory, "ca-of-stream.crt");
  writeFileSync(file, certificatePem("ca"));
  const server = await serve(t, { certificate: "server" }, (request, response) => {
    if (request.url === "/watch") {
      stream = response;
      response.write("one\n");
    } else response.end("{}");
  });
  const setup = new Setup(server.url, { ca: { file } });
  const watch = setup.get("/watch");
  await watch.next();
  await watch.next();
  writeFileSync(file, certificatePem("ca") + certificatePem("other-ca"));
  await setup.get("/other").outcome();
  stream?.end("two\n");
  assert.deepEqual(await watch.outcome(), { status: 0, body: "two\n" });
});

test("a client certificate is shown, and shown anew when its files change", async (t) => {
  const server = await serve(t, { certificate: "server", clientCertificates: true }, (request, response) => {
    response.end(
      (
        request.socket as unknown as { getPeerCertificate(): { subject: { CN: string } } }
      ).getPeerCertificate().subject.CN,
    );
  });
  const [certificate, key] = [join(directory, "client.crt"), join(directory, "client.key")];
  writeFileSync(certificate, certificatePem("client"));
  writeFileSync(key, keyPem("client"));
  const setup = new Setup(server.url, {
    clientCertificate: { certificate: { file: certificate }, key: { file: key } },
  });
  assert.equal((await setup.get().outcome()).body, "client");

  writeFileSync(certificate, certificatePem("client-next"));
  const mismatch = await setup.get().outcome();
  assert.equal(
    mismatch.error,
    `the client certificate in ${certificate} and its key in ${key} cannot be used (ERR_OSSL_X509_KEY_VALUES_MISMATCH)`,
  );
  writeFileSync(key, keyPem("client-next"));
  assert.equal((await setup.get().outcome()).body, "client-next");
});

test("a server that wants a client certificate and gets none, or a wrong one", async (t) => {
  const server = await serve(t, { certificate: "server", clientCertificates: true });
  const none = await new Setup(server.url).get().outcome();
  assert.match(none.error ?? "", /^TLS: 127\.0\.0\.1:\d+ refused our client certificate \(ERR_SSL_/);
});

const CREDENTIAL_PROBLEMS = [
  {
    name: "a token file that is gone",
    given: { token: { file: "/none/token" } },
    want: "cannot read /none/token (ENOENT)",
  },
  {
    name: "an empty token",
    given: { token: { text: "\n" } },
    want: "the token of the test is empty or not a token",
  },
  {
    name: "a token with a line break in it",
    given: { token: { text: `${SECRET}\nX-Evil: 1` } },
    want: "the token of the test is empty or not a token",
  },
  {
    name: "a CA file that is gone",
    given: { ca: { file: "/none/ca.crt" } },
    want: "cannot read /none/ca.crt (ENOENT)",
  },
  {
    name: "a CA that is no certificate",
    given: { ca: { text: "hello" } },
    want: "the CA is not a PEM certificate",
  },
  {
    name: "a CA file that holds a key",
    given: { ca: { file: keyPath("server") } },
    want: `the CA in ${keyPath("server")} is not a PEM certificate`,
  },
  {
    name: "a client certificate that is none",
    given: { clientCertificate: { certificate: { text: "x" }, key: { file: keyPath("client") } } },
    want: `the client certificate and its key in ${keyPath("client")} cannot be used (ERR_OSSL_PEM_NO_START_LINE)`,
  },
] as const;
for (const { name, given, want } of CREDENTIAL_PROBLEMS) {
  test(`credentials: ${name} is one line, and nothing is sent`, async (t) => {
    const server = await serve(t, { certificate: "server" });
    assert.deepEqual(await new Setup(server.url, given).get().outcome(), { error: want });
    assert.equal(server.requests.length, 0);
  });
}

test("a connection cut in the middle of a response is an error, not an end", async (t) => {
  const server = await serve(t, { certificate: "server" }, (_, response) => {
    response.writeHead(200, { "Content-Length": "1000" });
    response.write("half", () => response.socket?.destroy());
  });
  const error = `${portOf(server.url)} closed the connection in the middle of a response`;
  assert.deepEqual(await new Setup(server.url).get().outcome(), { error });
});

test("a connection cut before the response", async (t) => {
  const server = await serve(t, { certificate: "server" }, (_, response) => response.socket?.destroy());
  const error = `the connection to ${portOf(server.url)} was cut (ECONNRESET)`;
  assert.deepEqual(await new Setup(server.url).get().outcome(), { error });
});

test("no response headers within 30 s: the request ends and its connection with it", async (t) => {
  const asked = Promise.withResolvers<ServerResponse>();
  const server = await serve(t, { certificate: "server" }, (_, response) => asked.resolve(response));
  const setup = new Setup(server.url);
  const exchange = setup.get();
  const response = await asked.promise;
  const closed = once(response, "close");
  setup.clock.advance(29_999);
  assert.deepEqual(exchange.events, []);
  setup.clock.advance(1);
  assert.deepEqual(await exchange.outcome(), { error: `no response from ${portOf(server.url)} within 30 s` });
  await closed;
  assert.equal(setup.clock.pendingTimers, 0);
});

test("no TLS handshake within 10 s", async (t) => {
  const connected = Promise.withResolvers<void>();
  const { port } = await listenRaw(t, () => connected.resolve());
  const setup = new Setup(`https://127.0.0.1:${port}`);
  const exchange = setup.get();
  await connected.promise;
  setup.clock.advance(10_000);
  assert.deepEqual(await exchange.outcome(), { error: `no connection to 127.0.0.1:${port} within 10 s` });
});

test("a body may be silent for as long as its reader likes", async (t) => {
  let stream: ServerResponse | undefined;
  const server = await serve(t, { certificate: "server" }, (_, response) => {
    stream = response;
    response.flushHeaders();
  });
  const setup = new Setup(server.url);
  const exchange = setup.get();
  await exchange.next();
  setup.clock.advance(3_600_000);
  stream?.end("late");
  assert.deepEqual(await exchange.outcome(), { status: 0, body: "late" });
});

test("no token and no key is in any error or log line", async (t) => {
  const server = await serve(t, { certificate: "server" }, (_, response) => {
    response.statusCode = 401;
    response.end();
  });
  const setup = new Setup(server.url);
  const exchange = setup.get();
  await exchange.outcome();
  assert.equal(JSON.stringify([exchange.events, setup.log.lines]).includes(SECRET), false);
});

test("HTTP/2 and undici are never loaded, and proxies from the environment are not used", async (t) => {
  const server = await serve(t, { certificate: "server" });
  const child = new URL("../../../support/api-client-modules.ts", import.meta.url).pathname;
  const dead = "http://127.0.0.1:9";
  const environment = { NODE_USE_ENV_PROXY: "1", HTTPS_PROXY: dead, https_proxy: dead, ALL_PROXY: dead };
  const output = await new Promise<string>((resolve, reject) => {
    const args = [child, server.url, certificatePath("ca")];
    execFile(process.execPath, args, { env: { ...process.env, ...environment } }, (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    );
  });
  assert.deepEqual(JSON.parse(output), { status: 200, body: "{}", unwanted: [] });
});
