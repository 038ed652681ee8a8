import { Buffer } from "node:buffer";
import { badRequest } from "./api-status.ts";

/** Where a paged list goes on: the state it was begun in, and the last key it gave. Opaque to clients. */
export interface ContinueToken {
  readonly revision: number;
  readonly afterKey: string;
}

export function composeContinueToken({ revision, afterKey }: ContinueToken): string {
  return Buffer.from(JSON.stringify([revision, afterKey])).toString("base64url");
}

/** @throws ApiStatusError 400 for anything that is not a token of ours. */
export function parseContinueToken(text: string): ContinueToken {
  try {
    const [revision, afterKey] = JSON.parse(Buffer.from(text, "base64url").toString()) as unknown[];
    if (typeof revision === "number" && typeof afterKey === "string") return { revision, afterKey };
  } catch {
    // Told below: whatever was wrong with it, the client can only start a new list.
  }
  throw badRequest("continue key is not valid: start a new list without it");
}
