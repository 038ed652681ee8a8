import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Credentials, InputDigest, ResolvedCredentials } from "./credentials.ts";
import { findCredentials } from "./credentials-place.ts";
import type { CredentialsOptions } from "./credentials-place.ts";

/** What ties a snapshot to a cluster before that cluster has been asked anything. */
export interface ConfiguredIdentity {
  /** SHA-256, hex, over the DER of the CA certificates in order, or over the server's URL where no CA is configured. */
  readonly caFingerprint: string;
  /** `InputDigest.digest` where it is complete; else "", which is equal to nothing, not to itself either. */
  readonly configDigest: string;
}

const CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----([^-]*)-----END/g;

/** The DER of each certificate of a PEM bundle, in order; comments and other blocks are skipped, nothing is verified. */
export function certificatesOfPem(pem: string): Uint8Array[] {
  return [...pem.matchAll(CERTIFICATE)].map(([, base64]) => Buffer.from(base64, "base64"));
}

/** @param caPem The content of `credentials.ca`; undefined where no CA is configured. */
export function caFingerprint(credentials: ResolvedCredentials, caPem: string | undefined): string {
  const hash = createHash("sha256");
  const certificates = caPem === undefined ? [] : certificatesOfPem(caPem);
  if (certificates.length === 0) hash.update(`server ${new URL(credentials.server).href}`);
  for (const der of certificates) hash.update(der);
  return hash.digest("hex");
}

/**
 * Digests the bytes of what leads to the CA: the kubeconfig files, the context, and every file that a
 * `certificate-authority` line names. An equal digest means the same CA, and takes about a millisecond; resolving the
 * credentials takes a process and, with an exec plugin, a login. So a restart serves its snapshot without waiting for either.
 *
 * The trade: any change to a kubeconfig, a new inline token too, sends the restart the slow way, where the fingerprints are
 * compared. The lines are found without a YAML parser; where one cannot be read with certainty (a folded scalar, an alias),
 * the digest is not complete.
 */
export function digestInputs(options: CredentialsOptions): InputDigest {
  const place = findCredentials(options);
  const hash = createHash("sha256").update(place.type);
  let isComplete = true;
  try {
    if (place.type === "nowhere") return UNREADABLE;
    if (place.type === "in-cluster") {
      hash.update(readFileSync(place.caFile));
      return { digest: hash.digest("hex"), isComplete };
    }
    hash.update(`\0${place.context ?? ""}`);
    for (const file of place.files) {
      const content = readFileSync(file);
      hash.update(`\0${file}\0${content.length}\0`).update(content);
      const named = caFilesNamedIn(content.toString("utf8"), dirname(file));
      isComplete &&= named.isComplete;
      for (const caFile of named.files) hash.update(`\0${caFile}\0`).update(readFileSync(caFile));
    }
    return { digest: hash.digest("hex"), isComplete };
  } catch {
    // Unreadable inputs are reported by whoever loads them; here they only mean that nothing can be said.
    return UNREADABLE;
  }
}

const UNREADABLE: InputDigest = { digest: "", isComplete: false };
const CA_KEY = /certificate-authority(?!-data)/g;
// A YAML or JSON key and its plain, 'single' or "double" quoted value without escapes, to the end of the line or flow entry.
const CA_ENTRY =
  /(?:^|[\s{,-])(["']?)certificate-authority\1\s*:[ \t]*(?:"([^"\\\r\n]+)"|'([^'\r\n]+)'|([^\s"'|>&*!{[#,][^#,}\r\n]*))/g;

function caFilesNamedIn(kubeconfig: string, directory: string): { files: string[]; isComplete: boolean } {
  const files = [...kubeconfig.matchAll(CA_ENTRY)].map(([, , double, single, plain]) =>
    resolve(directory, (double ?? single ?? plain).trim()),
  );
  const keys = kubeconfig.match(CA_KEY)?.length ?? 0;
  return { files, isComplete: keys === files.length };
}

/**
 * Whether a snapshot was made from the cluster that is configured now: quickly where nothing changed, else by loading the
 * credentials. "unknown": they cannot be loaded now, and the error says why.
 */
export async function compareIdentity(
  kept: ConfiguredIdentity,
  credentials: Credentials,
): Promise<"same" | "other" | { readonly unknown: Error }> {
  const inputs = credentials.currentInputs();
  if (inputs.isComplete && inputs.digest === kept.configDigest) return "same";
  try {
    const resolved = await credentials.get();
    return kept.caFingerprint === caFingerprint(resolved, readCa(resolved)) ? "same" : "other";
  } catch (error) {
    return { unknown: error instanceof Error ? error : new Error(String(error)) };
  }
}

function readCa({ ca }: ResolvedCredentials): string | undefined {
  if (ca === undefined) return undefined;
  return "text" in ca ? ca.text : readFileSync(ca.file, "utf8");
}
