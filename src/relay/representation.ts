import { ApiStatusError } from "./api-status.ts";
import type { Representation } from "./stored-object.ts";

const JSON_TYPES = new Set(["application/json", "application/*", "*/*"]);

/**
 * Content negotiation: JSON only, whole objects or their metadata (Kubernetes API concepts, "Metadata-only fetches").
 * The first clause of the Accept header that can be met wins, as in the API server.
 *
 * @throws ApiStatusError 406 when no clause can be met.
 */
export function negotiateRepresentation(accept: string | undefined, watch: boolean): Representation {
  if (accept === undefined || accept.trim() === "") return "full";
  const partialKind = watch ? "PartialObjectMetadata" : "PartialObjectMetadataList";
  for (const clause of accept.split(",")) {
    const [mediaType = "", ...parameters] = clause.split(";").map((part) => part.trim());
    if (!JSON_TYPES.has(mediaType.toLowerCase())) continue;
    const as = parameters.find((parameter) => parameter.startsWith("as="));
    if (as === undefined) return "full";
    const isMetaV1 = parameters.includes("g=meta.k8s.io") && parameters.includes("v=v1");
    if (isMetaV1 && as === `as=${partialKind}`) return "metadata";
  }
  const accepted = ["application/json", `application/json;as=${partialKind};g=meta.k8s.io;v=v1`].join(", ");
  throw new ApiStatusError(406, "NotAcceptable", `only the following media types are accepted: ${accepted}`);
}
