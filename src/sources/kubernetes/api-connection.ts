import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { ClientRequest, OutgoingHttpHeaders } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { createSecureContext } from "node:tls";
import { caFingerprint } from "./cluster-identity.ts";
import type { FileOrText, ResolvedCredentials } from "./credentials.ts";

/** What a connection is bound to: the server, whom we trust to be it, and the certificate we show. Not the token. */
interface Binding {
  readonly server: URL;
  readonly caPem: string | undefined;
  readonly certificatePem: string | undefined;
  readonly keyPem: string | undefined;
  readonly digest: string;
}

/** Half-open connections are noticed by the kernel after this and ten probes a second apart (libuv). */
const TCP_KEEPALIVE_MS = 15_000;
/** An idle connection is closed before the server does it (kube-apiserver: 90 s), so that no request meets a closed one. */
const IDLE_SOCKET_MS = 30_000;
const MAX_IDLE_SOCKETS = 2;

/**
 * One identity on the wire: an agent of its own, never shared with another identity or used again after the CA changed.
 *
 * TLS sessions are not resumed: a resumed session skips the check of the server's name (CVE-2026-48934, CVE-2026-58040).
 */
export class ApiConnection {
  /** `host:port`, for messages. */
  readonly target: string;
  readonly caFingerprint: string;
  readonly isEncrypted: boolean;
  readonly #binding: Binding;
  readonly #agent: HttpAgent;

  /** @throws Error with one line when a file cannot be read or holds no certificate. */
  constructor(credentials: ResolvedCredentials, binding: Binding = bindingOf(credentials)) {
    this.#binding = binding;
    this.isEncrypted = binding.server.protocol === "https:";
    this.target = `${binding.server.hostname}:${binding.server.port || (this.isEncrypted ? "443" : "80")}`;
    this.caFingerprint = caFingerprint(credentials, binding.caPem);
    this.#agent = this.isEncrypted ? createTlsAgent(credentials, binding) : new HttpAgent(AGENT_OPTIONS);
  }

  /** This connection, or a new one where the credentials or the files they name have changed. */
  refreshed(credentials: ResolvedCredentials): ApiConnection {
    const binding = bindingOf(credentials);
    return binding.digest === this.#binding.digest ? this : new ApiConnection(credentials, binding);
  }

  request(path: string, headers: OutgoingHttpHeaders): ClientRequest {
    const { server } = this.#binding;
    const options = {
      agent: this.#agent,
      method: "GET",
      protocol: server.protocol,
      hostname: server.hostname.replace(/^\[|\]$/g, ""),
      port: server.port || undefined,
      path: server.pathname.replace(/\/$/, "") + path,
      headers,
    };
    const request = this.isEncrypted ? httpsRequest(options) : httpRequest(options);
    request.on("socket", (socket) => socket.setKeepAlive(true, TCP_KEEPALIVE_MS));
    return request;
  }

  /** No connection is used for a further request. Those that carry a response go on to its end. */
  retire(): void {
    this.#agent.maxFreeSockets = 0;
    this.closeIdle();
  }

  closeIdle(): void {
    for (const sockets of Object.values(this.#agent.freeSockets))
      for (const socket of sockets ?? []) socket.destroy();
  }
}

const AGENT_OPTIONS = {
  keepAlive: true,
  keepAliveMsecs: TCP_KEEPALIVE_MS,
  maxFreeSockets: MAX_IDLE_SOCKETS,
  timeout: IDLE_SOCKET_MS,
};

function createTlsAgent(
  credentials: ResolvedCredentials,
  { caPem, certificatePem, keyPem }: Binding,
): HttpAgent {
  if (caPem !== undefined) requireCertificate(caPem, `the CA${nameOf(credentials.ca)}`);
  return new HttpsAgent({
    ...AGENT_OPTIONS,
    maxCachedSessions: 0,
    rejectUnauthorized: !credentials.skipTlsVerify,
    ...(credentials.tlsServerName === undefined ? {} : { servername: credentials.tlsServerName }),
    secureContext: secureContextOf(credentials, caPem, certificatePem, keyPem),
  });
}

function secureContextOf(credentials: ResolvedCredentials, ca?: string, cert?: string, key?: string) {
  try {
    return createSecureContext({
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const { clientCertificate } = credentials;
    const names = `${nameOf(clientCertificate?.certificate)} and its key${nameOf(clientCertificate?.key)}`;
    throw new Error(`the client certificate${names} cannot be used (${code})`, { cause: error });
  }
}

/** OpenSSL takes a CA without any certificate for an empty list, which would only show as a handshake that never succeeds. */
function requireCertificate(pem: string, what: string): void {
  try {
    void new X509Certificate(pem);
  } catch (error) {
    throw new Error(`${what} is not a PEM certificate`, { cause: error });
  }
}

function nameOf(source: FileOrText | undefined): string {
  return source !== undefined && "file" in source ? ` in ${source.file}` : "";
}

function bindingOf(credentials: ResolvedCredentials): Binding {
  const { ca, clientCertificate, server, skipTlsVerify, tlsServerName = "" } = credentials;
  const caPem = ca && readSource(ca);
  const certificatePem = clientCertificate && readSource(clientCertificate.certificate);
  const keyPem = clientCertificate && readSource(clientCertificate.key);
  const parts = [server, caPem, certificatePem, keyPem, skipTlsVerify, tlsServerName];
  const digest = createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  return { server: new URL(server), caPem, certificatePem, keyPem, digest };
}

/** @throws Error that names the file. */
export function readSource(source: FileOrText): string {
  if ("text" in source) return source.text;
  try {
    return readFileSync(source.file, "utf8");
  } catch (error) {
    throw new Error(`cannot read ${source.file} (${(error as NodeJS.ErrnoException).code})`, {
      cause: error,
    });
  }
}
