import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Certificates of `test/fixtures/pki`: see `generate.sh` there. "ca" has signed all that do not say otherwise. */
export type CertificateName =
  | "ca"
  | "other-ca"
  | "server"
  | "server-other-ca"
  | "server-other-name"
  | "server-expired"
  | "client"
  | "client-next";

export function certificatePath(name: CertificateName): string {
  return fileURLToPath(new URL(`../fixtures/pki/${name}.crt`, import.meta.url));
}

export function keyPath(name: CertificateName): string {
  return fileURLToPath(new URL(`../fixtures/pki/${name}.key`, import.meta.url));
}

export function certificatePem(name: CertificateName): string {
  return readFileSync(certificatePath(name), "utf8");
}

export function keyPem(name: CertificateName): string {
  return readFileSync(keyPath(name), "utf8");
}
