import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import type { IncomingMessage, RequestListener, Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { Server as HttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { certificatePem, keyPem } from "./pki.ts";
import type { CertificateName } from "./pki.ts";

/** An HTTP server on loopback that counts connections and remembers what it was asked. */
export interface TestServer {
  readonly port: number;
  /** `https://127.0.0.1:port`, or http. */
  readonly url: string;
  /** Connections that got as far as HTTP or TLS can. */
  readonly connections: number;
  /** How many of them resumed a TLS session. */
  readonly resumedSessions: number;
  readonly requests: readonly IncomingMessage[];
  /** Ends all connections; the following ones get this certificate. Only for a server with TLS. */
  useCertificate(certificate: CertificateName): void;
  close(): Promise<void>;
}

export interface TestServerOptions {
  /** Undefined: plain HTTP. */
  readonly certificate?: CertificateName;
  /** Asks for a client certificate that "ca" has signed, and refuses others. */
  readonly clientCertificates?: boolean;
}

export async function startServer(options: TestServerOptions, answer: RequestListener): Promise<TestServer> {
  const { certificate } = options;
  const server: Server =
    certificate === undefined
      ? createHttpServer()
      : createHttpsServer({
          cert: certificatePem(certificate),
          key: keyPem(certificate),
          ...(options.clientCertificates
            ? { requestCert: true, rejectUnauthorized: true, ca: certificatePem("ca") }
            : {}),
        });
  const requests: IncomingMessage[] = [];
  let connections = 0;
  let resumedSessions = 0;
  server.on(certificate === undefined ? "connection" : "secureConnection", (socket: Socket | TLSSocket) => {
    connections += 1;
    if ("isSessionReused" in socket && socket.isSessionReused()) resumedSessions += 1;
  });
  server.on("request", (request, response) => {
    requests.push(request);
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${certificate === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    get connections() {
      return connections;
    },
    get resumedSessions() {
      return resumedSessions;
    },
    requests,
    useCertificate(name) {
      if ("setSecureContext" in server) {
        (server as HttpsServer).setSecureContext({ cert: certificatePem(name), key: keyPem(name) });
      }
      server.closeAllConnections();
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
