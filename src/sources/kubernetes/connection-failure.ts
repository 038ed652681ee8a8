/**
 * Turns what Node reports into one line that says which server, what is wrong, and where to look. Nothing of a request goes
 * in, so no secret can come out.
 */
export function describeFailure(error: unknown, target: string): string {
  if (!(error instanceof Error)) return `${target}: ${String(error)}`;
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const known = FAILURES[code] ?? PATTERNS.find(([pattern]) => pattern.test(code))?.[1];
  if (known !== undefined) return `${known(target, error)} (${code})`;
  return `${target}: ${firstLine(error.message)}${code === "" ? "" : ` (${code})`}`;
}

type Describe = (target: string, error: Error) => string;

const untrusted: Describe = (target) =>
  `TLS: the certificate of ${target} is not signed by the configured CA`;
const unreachable: Describe = (target) => `no route to ${target}`;
const dropped: Describe = (target) => `the connection to ${target} was cut`;
const unresolved: Describe = (target) => `the name in ${target} cannot be resolved`;

/** @see https://nodejs.org/docs/latest-v24.x/api/tls.html#x509-certificate-error-codes */
const FAILURES: Readonly<Record<string, Describe>> = {
  ECONNREFUSED: (target) => `connection refused by ${target}`,
  ECONNRESET: dropped,
  EPIPE: dropped,
  ETIMEDOUT: (target) => `no answer from ${target}`,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ENOTFOUND: unresolved,
  EAI_AGAIN: unresolved,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  CERT_SIGNATURE_FAILURE: untrusted,
  CERT_UNTRUSTED: untrusted,
  CERT_HAS_EXPIRED: (target) => `TLS: the certificate of ${target} has expired`,
  CERT_NOT_YET_VALID: (target) =>
    `TLS: the certificate of ${target} is not valid yet; is this machine's clock right?`,
  ERR_TLS_CERT_ALTNAME_INVALID: (target, error) => {
    const { reason } = error as { reason?: string };
    return `TLS: the certificate of ${target} is for another name: ${firstLine(reason ?? error.message)}`;
  },
};

const PATTERNS: readonly (readonly [RegExp, Describe])[] = [
  [
    /^ERR_SSL_.*ALERT_.*(?:CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/,
    (target) => `TLS: ${target} refused our client certificate`,
  ],
  [/^(?:EPROTO|ERR_SSL_)/, (target) => `TLS: the handshake with ${target} failed; is it an https server?`],
  [/^HPE_/, (target) => `${target} does not answer in HTTP/1.1`],
];

/** A server chooses what its certificate says: bounded, and no line breaks. */
const MAX_QUOTED_LENGTH = 300;

function firstLine(text: string): string {
  return text.split(/[\r\n]/, 1)[0].slice(0, MAX_QUOTED_LENGTH);
}
