import { Buffer } from "node:buffer";
import type { Kind } from "../model/records.ts";
import type { ApiResource } from "./resources.ts";

/** A Kubernetes object as a client of the API would write it. */
export interface KubernetesObject {
  readonly apiVersion?: string;
  readonly kind: Kind;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

/** API reference: meta/v1 ObjectMeta, as far as the server reads it; the rest passes through. */
interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** What a client asked to see of each object: all of it, or its metadata (PartialObjectMetadata). */
export type Representation = "full" | "metadata";

const NO_LABELS: Readonly<Record<string, string>> = {};
const CLOSING_BRACE = Buffer.from("}");

/**
 * One version of an object, serialised once.
 *
 * `#body` is the JSON from `"metadata":` to the final brace. Every form that clients can ask for is a slice of it with a
 * constant prefix, and another resourceVersion is one splice: so neither the number of watchers nor their
 * representation costs a second serialisation.
 */
export class StoredObject {
  readonly resource: ApiResource;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly revision: number;
  readonly #body: Buffer;
  /** Where the digits of the resourceVersion start in `#body`; they end `REVISION_TAIL` before `#metadataEnd`. */
  readonly #revisionStart: number;
  readonly #revisionEnd: number;
  readonly #metadataEnd: number;

  /** @throws TypeError for values that JSON cannot hold. */
  constructor(resource: ApiResource, object: KubernetesObject, revision: number) {
    const { apiVersion: _apiVersion, kind: _kind, metadata, ...rest } = object;
    const { resourceVersion: _resourceVersion, ...meta } = metadata;
    this.resource = resource;
    this.namespace = metadata.namespace ?? "";
    this.name = metadata.name;
    this.labels = metadata.labels ?? NO_LABELS;
    this.revision = revision;
    const head = `"metadata":${JSON.stringify(meta).slice(0, -1)},"resourceVersion":"`;
    const digits = String(revision);
    const fields = JSON.stringify(rest);
    this.#revisionStart = Buffer.byteLength(head);
    this.#revisionEnd = this.#revisionStart + digits.length;
    this.#metadataEnd = this.#revisionEnd + 2;
    this.#body = Buffer.from(`${head}${digits}"}${fields === "{}" ? "}" : `,${fields.slice(1)}`}`);
  }

  get key(): string {
    return objectKey(this.namespace, this.name);
  }

  /** True when nothing but the resourceVersion differs: such an update is no event (as in the API server). */
  sameContent(other: StoredObject): boolean {
    return (
      this.#body.subarray(0, this.#revisionStart).equals(other.#body.subarray(0, other.#revisionStart)) &&
      this.#body.subarray(this.#revisionEnd).equals(other.#body.subarray(other.#revisionEnd))
    );
  }

  /**
   * The pieces of the object's JSON, to be joined by the caller.
   *
   * @param revision The resourceVersion to show: a deletion carries that of the deletion, not of the last write.
   */
  json(representation: Representation, revision: number = this.revision): Buffer[] {
    const opening = Buffer.from(`{${typeFields(this.resource, representation)},`);
    return [opening, ...this.#bodyAt(representation, revision)];
  }

  /** As an item of a list: the API server leaves kind and apiVersion out there, but for PartialObjectMetadata. */
  itemJson(representation: Representation): Buffer[] {
    if (representation === "metadata") return this.json(representation);
    return [OPENING_BRACE, this.#body];
  }

  #bodyAt(representation: Representation, revision: number): Buffer[] {
    const body = representation === "full" ? this.#body : this.#body.subarray(0, this.#metadataEnd);
    const pieces =
      revision === this.revision
        ? [body]
        : [
            body.subarray(0, this.#revisionStart),
            Buffer.from(String(revision)),
            body.subarray(this.#revisionEnd),
          ];
    return representation === "full" ? pieces : [...pieces, CLOSING_BRACE];
  }
}

const OPENING_BRACE = Buffer.from("{");

/** `"kind":...,"apiVersion":...` of an object in this representation, without braces. */
export function typeFields(resource: ApiResource, representation: Representation): string {
  return representation === "metadata"
    ? `"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1"`
    : `"kind":"${resource.kind}","apiVersion":"${resource.apiVersion}"`;
}

/** The order of keys is the order of lists, as in etcd. */
export function objectKey(namespace: string, name: string): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}
