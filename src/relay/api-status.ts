/** API reference: meta/v1 Status. */
export interface ApiStatus {
  readonly kind: "Status";
  readonly apiVersion: "v1";
  readonly metadata: Readonly<Record<string, string>>;
  readonly status: "Failure";
  readonly message: string;
  readonly reason: string;
  readonly details?: StatusDetails;
  readonly code: number;
}

interface StatusDetails {
  readonly causes?: readonly { readonly reason: string; readonly message: string }[];
  readonly retryAfterSeconds?: number;
}

/** Ends a request with a Status object; thrown while a request is examined, caught once in the handler. */
export class ApiStatusError extends Error {
  readonly status: ApiStatus;

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message);
    this.name = "ApiStatusError";
    this.status = {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message,
      reason,
      ...(details && { details }),
      code,
    };
  }
}

export function badRequest(message: string): ApiStatusError {
  return new ApiStatusError(400, "BadRequest", message);
}

/** Options that exclude each other. */
export function invalidOptions(message: string): ApiStatusError {
  return new ApiStatusError(422, "Invalid", message);
}

/** The history does not reach back to what was asked; the client lists again. */
export function expired(message: string): ApiStatusError {
  return new ApiStatusError(410, "Expired", message);
}

/** The client has seen a later state than this server: it asks another one, or the cluster was restored from a backup. */
export function tooLargeResourceVersion(requested: number, current: number): ApiStatusError {
  return new ApiStatusError(504, "Timeout", `Too large resource version: ${requested}, current: ${current}`, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  });
}
