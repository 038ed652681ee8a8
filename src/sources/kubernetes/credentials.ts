import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";

/** Text that is given, or that a file holds: a file may be rotated under us, so it is read again for each request. */
export type FileOrText = { readonly file: string } | { readonly text: string };

/** Everything needed to talk to one API server as one user, with nothing of client-node left in it. */
export interface ResolvedCredentials {
  /** Base URL, `https:` or `http:`. */
  readonly server: string;
  /** PEM; absent: the certificate authorities that Node trusts. */
  readonly ca?: FileOrText;
  readonly token?: FileOrText;
  readonly clientCertificate?: { readonly certificate: FileOrText; readonly key: FileOrText };
  /** The name the server's certificate must hold, where it is not the server's host. */
  readonly tlsServerName?: string;
  readonly skipTlsVerify: boolean;
  /** Sent as they are: impersonation, basic authentication. */
  readonly headers: Readonly<Record<string, string>>;
  /** When the token runs out, if it is known; milliseconds since 1970. */
  readonly expiresAtWallMs?: number;
  /** The token was made for us (exec plugin, OIDC): after a refusal, a new one can be made. */
  readonly needsRefresh: boolean;
  /** For messages, as in "... was refused": what we show the server to say who we are. No secrets. */
  readonly presents: string;
}

/** Digest over the inputs that lead to the CA; see `digestInputs`. */
export interface InputDigest {
  /** SHA-256, hex; "" when an input cannot be read. */
  readonly digest: string;
  /** Nothing that leads to the CA is missing from the digest. */
  readonly isComplete: boolean;
}

/** Where credentials come from; `CredentialsLoader` is the real one. */
export interface CredentialsSource {
  /** Runs the whole resolution once. @throws Error with one line that says what to repair. */
  load(): Promise<ResolvedCredentials>;
  /** The inputs as they are now. Cheap enough to be asked before each request. */
  inputs(): InputDigest;
}

/** The resolution costs a process, and perhaps a login at a cloud provider: no storm of either, whatever the callers do. */
const MIN_LOAD_INTERVAL_MS = 10_000;
/** A token is replaced this long before its end, so that it does not run out on the way. */
const EXPIRY_MARGIN_MS = 10_000;

interface Held {
  readonly credentials: ResolvedCredentials;
  readonly inputs: InputDigest;
  /** On the monotonic clock. */
  readonly expiresAtMs: number;
}

/**
 * Keeps the credentials of one source, and loads them again when the kubeconfig has changed, when they run out, and when the
 * server refused them. Concurrent calls share one load.
 */
export class Credentials {
  readonly #source: CredentialsSource;
  readonly #clock: Clock;
  readonly #log: Logger;
  #held: Held | undefined;
  #loading: Promise<ResolvedCredentials> | undefined;
  #lastLoadMs = -Infinity;
  #lastProblem: Error | undefined;
  #isRefused = false;

  constructor(source: CredentialsSource, io: { readonly clock: Clock; readonly log: Logger }) {
    this.#source = source;
    this.#clock = io.clock;
    this.#log = io.log;
  }

  /** @throws Error whose message is one line: what is wrong with the configured credentials, and where. */
  async get(): Promise<ResolvedCredentials> {
    if (this.#loading !== undefined) return this.#loading;
    const held = this.#held;
    const inputs = this.#source.inputs();
    const isUsable = held !== undefined && !this.#isRefused && this.#clock.nowMs() < held.expiresAtMs;
    const isChanged = inputs.digest !== "" && inputs.digest !== held?.inputs.digest;
    if (isUsable && !isChanged) return held.credentials;
    if (this.#clock.nowMs() - this.#lastLoadMs < MIN_LOAD_INTERVAL_MS) {
      if (this.#lastProblem !== undefined && !isUsable) throw this.#lastProblem;
      if (held !== undefined) return held.credentials;
    }
    this.#loading = this.#load(inputs, isUsable ? held.credentials : undefined);
    try {
      return await this.#loading;
    } finally {
      this.#loading = undefined;
    }
  }

  /** The server answered 401 to these. A file is read again anyway; what was made for us is made again. */
  refuse(refused: ResolvedCredentials): void {
    if (refused.needsRefresh && this.#held?.credentials === refused) this.#isRefused = true;
  }

  /** `ConfiguredIdentity.configDigest` of the credentials in use; "" before the first load. */
  get configDigest(): string {
    return this.#held?.inputs.isComplete ? this.#held.inputs.digest : "";
  }

  /** The inputs as they are now, to be compared with a digest that was kept. */
  currentInputs(): InputDigest {
    return this.#source.inputs();
  }

  async #load(inputs: InputDigest, fallback: ResolvedCredentials | undefined): Promise<ResolvedCredentials> {
    this.#lastLoadMs = this.#clock.nowMs();
    try {
      const credentials = await this.#source.load();
      this.#lastProblem = undefined;
      this.#isRefused = false;
      this.#held = { credentials, inputs, expiresAtMs: this.#expiryOf(credentials) };
      this.#log.info("API credentials loaded", {
        server: credentials.server,
        presents: credentials.presents,
      });
      return credentials;
    } catch (error) {
      this.#lastProblem = error instanceof Error ? error : new Error(String(error));
      // A kubeconfig that is being rewritten must not take away what still works.
      if (fallback === undefined) throw this.#lastProblem;
      this.#log.warn("API credentials changed and cannot be loaded; the previous ones stay", { error });
      return fallback;
    }
  }

  #expiryOf({ expiresAtWallMs }: ResolvedCredentials): number {
    if (expiresAtWallMs === undefined) return Infinity;
    return this.#clock.nowMs() + (expiresAtWallMs - this.#clock.wallMs()) - EXPIRY_MARGIN_MS;
  }
}
