import type { RequestOptions } from "node:https";
import type { Cluster, User } from "@kubernetes/client-node";
import type { FileOrText, ResolvedCredentials } from "./credentials.ts";
import type { ChosenContext } from "./kubeconfig-file.ts";

/**
 * Makes what the chosen context says into plain credentials: runs its exec plugin or refreshes its OIDC token, through
 * client-node. Files that are only named stay named, so that their rotation is seen.
 *
 * @throws Error with one line that names what failed; never a token or a key.
 */
export async function resolveContext(chosen: ChosenContext): Promise<ResolvedCredentials> {
  const { cluster, user, origin } = chosen;
  const server = serverUrl(cluster, origin);
  const base = {
    server: server.href,
    ...(cluster.tlsServerName ? { tlsServerName: cluster.tlsServerName } : {}),
    skipTlsVerify: cluster.skipTLSVerify,
    headers: {},
    needsRefresh: false,
    presents: "a request without credentials",
  } satisfies ResolvedCredentials;
  // As kubectl does: over plain HTTP nobody is told who we are, because everybody on the way could use it.
  if (server.protocol === "http:" || user === undefined) return withCa(base, cluster);

  const applied = await applyUser(chosen, user);
  const isMade = Boolean(user.exec ?? user.authProvider);
  const token = tokenOf(chosen, applied);
  const clientCertificate = clientCertificateOf(user, applied);
  const headers = otherHeaders(applied);
  if (isMade && token === undefined && clientCertificate === undefined) {
    throw new Error(`kubeconfig ${origin}: ${userDescription(user)} gave no credentials`);
  }
  const expiresAtWallMs = isMade ? expiryOf(chosen, token) : undefined;
  return withCa(
    {
      ...base,
      ...(token === undefined ? {} : { token }),
      ...(clientCertificate === undefined ? {} : { clientCertificate }),
      ...(expiresAtWallMs === undefined ? {} : { expiresAtWallMs }),
      headers,
      needsRefresh: isMade,
      presents: presentation(chosen, user, { token, clientCertificate, headers }),
    },
    cluster,
  );
}

function serverUrl(cluster: Cluster, origin: string): URL {
  const where = `kubeconfig ${origin}: cluster "${cluster.name}"`;
  const server = URL.parse(cluster.server);
  if (server === null || (server.protocol !== "https:" && server.protocol !== "http:")) {
    throw new Error(`${where} has a server that is not an https:// or http:// URL`);
  }
  // A watch through a proxy that nobody monitors is not what a node agent should depend on; better to say so than to bypass it.
  if (cluster.proxyUrl) throw new Error(`${where} has a proxy-url, which is not supported`);
  server.username = "";
  server.password = "";
  return server;
}

function withCa(credentials: ResolvedCredentials, cluster: Cluster): ResolvedCredentials {
  const ca = fileOrBase64(cluster.caFile, cluster.caData);
  return ca === undefined ? credentials : { ...credentials, ca };
}

function fileOrBase64(
  file: string | undefined | null,
  base64: string | undefined | null,
): FileOrText | undefined {
  if (file) return { file };
  return base64 ? { text: Buffer.from(base64, "base64").toString("utf8") } : undefined;
}

async function applyUser({ config, cluster, origin }: ChosenContext, user: User): Promise<RequestOptions> {
  if (user.exec) {
    // client-node leaves out the variable by which plugins learn the protocol version; some refuse to work without it.
    const info = { apiVersion: user.exec.apiVersion, kind: "ExecCredential", spec: execSpec(user, cluster) };
    user.exec.env = [...(user.exec.env ?? []), { name: "KUBERNETES_EXEC_INFO", value: JSON.stringify(info) }];
  }
  const applied: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(applied);
  } catch (error) {
    throw new Error(`kubeconfig ${origin}: ${explain(error, user)}`, { cause: error });
  }
  return applied;
}

function execSpec(user: User, cluster: Cluster): object {
  if (user.exec.provideClusterInfo !== true) return { interactive: false };
  return {
    interactive: false,
    cluster: { server: cluster.server, "certificate-authority-data": cluster.caData },
  };
}

const MAX_QUOTED_LENGTH = 200;

function explain(error: unknown, user: User): string {
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  if (syscall?.startsWith("spawn")) {
    const reason = code === "ENOENT" ? "is not installed, or not in $PATH" : "cannot be run";
    return `${userDescription(user)} ${reason} (${code})`;
  }
  if (path !== undefined) return `cannot read ${path} (${code})`;
  // These come from reading what a plugin printed, and V8 quotes the text in them: it may be a token.
  if (error instanceof SyntaxError || error instanceof TypeError) {
    return `${userDescription(user)} did not give an ExecCredential or token`;
  }
  const lines = error instanceof Error ? error.message.split("\n").filter((line) => line.trim() !== "") : [];
  const said = lines.at(-1)?.trim().slice(0, MAX_QUOTED_LENGTH);
  return `${userDescription(user)} failed${said === undefined ? "" : `: ${said}`}`;
}

function userDescription(user: User): string {
  if (user.exec) return `exec plugin "${user.exec.command}"`;
  if (user.authProvider) return `auth-provider "${user.authProvider.name}"`;
  return `user "${user.name}"`;
}

const BEARER = "Bearer ";

function tokenOf({ tokenFile }: ChosenContext, applied: RequestOptions): FileOrText | undefined {
  if (tokenFile !== undefined) return { file: tokenFile };
  const header = headersOf(applied)["Authorization"];
  return header?.startsWith(BEARER) ? { text: header.slice(BEARER.length).trim() } : undefined;
}

/** An exec plugin's certificate beats the kubeconfig's: client-node then has put text where a Buffer was. */
function clientCertificateOf(
  user: User,
  { cert, key }: RequestOptions,
): ResolvedCredentials["clientCertificate"] {
  const certificate = typeof cert === "string" ? { text: cert } : fileOrBase64(user.certFile, user.certData);
  const privateKey = typeof key === "string" ? { text: key } : fileOrBase64(user.keyFile, user.keyData);
  if (certificate === undefined || privateKey === undefined) return undefined;
  return { certificate, key: privateKey };
}

function otherHeaders(applied: RequestOptions): Record<string, string> {
  const { Authorization: _, ...others } = headersOf(applied);
  if (!applied.auth) return others;
  return { ...others, Authorization: `Basic ${Buffer.from(applied.auth).toString("base64")}` };
}

function headersOf(applied: RequestOptions): Record<string, string> {
  return (applied.headers ?? {}) as Record<string, string>;
}

/**
 * When what a plugin or provider made runs out. client-node keeps a plugin's answer to itself (`ExecAuth.tokenCache`), so
 * this looks inside; should that change, the expiry is unknown, and a 401 leads to the refresh instead.
 */
function expiryOf({ config, user }: ChosenContext, token: FileOrText | undefined): number | undefined {
  const authenticators: unknown = Reflect.get(config, "authenticators");
  for (const authenticator of Array.isArray(authenticators) ? (authenticators as unknown[]) : []) {
    const { tokenCache } = authenticator as {
      tokenCache?: Record<string, { status?: { expirationTimestamp?: string } }>;
    };
    const expiresAt = Date.parse(tokenCache?.[user?.name ?? ""]?.status?.expirationTimestamp ?? "");
    if (!Number.isNaN(expiresAt)) return expiresAt;
  }
  return token !== undefined && "text" in token ? expiryOfJwt(token.text) : undefined;
}

/** RFC 7519 section 4.1.4; a token that is not a JWT has none. */
function expiryOfJwt(token: string): number | undefined {
  try {
    const payload = JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString("utf8")) as {
      exp?: unknown;
    };
    return typeof payload.exp === "number" ? payload.exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}

interface Presented {
  readonly token: FileOrText | undefined;
  readonly clientCertificate: ResolvedCredentials["clientCertificate"];
  readonly headers: Readonly<Record<string, string>>;
}

function presentation({ tokenFile, origin }: ChosenContext, user: User, presented: Presented): string {
  if (tokenFile !== undefined) return `the token in ${tokenFile}`;
  if (user.exec || user.authProvider) return `the credential from ${userDescription(user)}`;
  const owner = `of user "${user.name}" in ${origin}`;
  if (presented.token !== undefined) return `the token ${owner}`;
  if (presented.headers["Authorization"] !== undefined) return `the password ${owner}`;
  return presented.clientCertificate === undefined
    ? "a request without credentials"
    : `the client certificate ${owner}`;
}
