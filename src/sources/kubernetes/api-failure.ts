import { asFields, asList } from "./projection-fields.ts";

/** Why a request gave nothing, or stopped giving. `reason` is one line for people. */
export type ApiFailure =
  /** No answer, or the connection broke. */
  | { readonly type: "transport"; readonly reason: string }
  /** The connection stands, but nothing came for too long. */
  | { readonly type: "silent"; readonly reason: string }
  /** An answer that cannot be used: not JSON, truncated, another kind of object. */
  | { readonly type: "content"; readonly reason: string }
  /** The server said no: by HTTP status, or by an ERROR event in a watch. */
  | StatusFailure;

export interface StatusFailure {
  readonly type: "status";
  readonly reason: string;
  /** HTTP status code, or `code` of the Status object. */
  readonly code: number;
  /** `reason` of the Status object, for example `Expired`; empty where there is none. */
  readonly statusReason: string;
  /** The server holds no data as new as the resourceVersion asked for (k8s issue 91073). */
  readonly isTooLargeResourceVersion: boolean;
  /** 0 where the server asks for no pause. */
  readonly retryAfterMs: number;
}

const MAX_REASON_LENGTH = 200;
/** A pause asked for beyond this would be a way to stop an agent for good. */
const MAX_RETRY_AFTER_MS = 10 * 60_000;

/** The history that was asked for is gone: list again. */
export function isGone(failure: ApiFailure): boolean {
  return failure.type === "status" && (failure.code === 410 || failure.statusReason === "Expired");
}

export function isTooLargeResourceVersion(failure: ApiFailure): boolean {
  return failure.type === "status" && failure.isTooLargeResourceVersion;
}

/** It says something about the server as a whole, not about one resource or one document. */
export function isServerWide(failure: ApiFailure): boolean {
  if (failure.type === "transport" || failure.type === "silent") return true;
  if (failure.type !== "status" || failure.isTooLargeResourceVersion) return false;
  return failure.code === 429 || failure.code >= 500;
}

export function retryAfterMsOf(failure: ApiFailure): number {
  return failure.type === "status" ? failure.retryAfterMs : 0;
}

export interface StatusSource {
  /** HTTP status; absent for an ERROR event, whose object has the code. */
  readonly httpStatus?: number;
  /** Value of the header of that name (RFC 9110 section 10.2.3). */
  readonly retryAfter?: string | undefined;
  readonly wallMs: number;
}

/** @param status  The Status object (API reference: meta/v1 Status), or anything else that came in its place. */
export function statusFailure(status: unknown, source: StatusSource): StatusFailure {
  const fields = asFields(status);
  const details = asFields(fields?.["details"]);
  const code = source.httpStatus ?? (typeof fields?.["code"] === "number" ? fields["code"] : 500);
  const statusReason = textOf(fields?.["reason"]);
  const message = textOf(fields?.["message"]);
  const retryAfterSeconds = details?.["retryAfterSeconds"];
  const head = statusReason === "" ? `HTTP ${code}` : `HTTP ${code} ${statusReason}`;
  return {
    type: "status",
    code,
    statusReason,
    reason: oneLine(message === "" ? head : `${head}: ${message}`),
    isTooLargeResourceVersion: /too large resource version/i.test(message) || hasTooLargeCause(details),
    retryAfterMs: Math.max(
      parseRetryAfterMs(source.retryAfter, source.wallMs),
      typeof retryAfterSeconds === "number" ? boundedMs(retryAfterSeconds * 1000) : 0,
    ),
  };
}

/** The text on one line, short enough for a log and a status page. */
export function oneLine(text: string): string {
  const line = text
    .slice(0, 4 * MAX_REASON_LENGTH)
    .replaceAll(/\s+/g, " ")
    .trim();
  return line.length <= MAX_REASON_LENGTH ? line : `${line.slice(0, MAX_REASON_LENGTH)}...`;
}

/** RFC 9110 section 10.2.3: seconds, or a date. */
function parseRetryAfterMs(value: string | undefined, wallMs: number): number {
  if (value === undefined) return 0;
  const text = value.trim();
  if (/^\d{1,15}$/.test(text)) return boundedMs(Number(text) * 1000);
  return boundedMs(Date.parse(text) - wallMs);
}

function boundedMs(ms: number): number {
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS) : 0;
}

function hasTooLargeCause(details: Readonly<Record<string, unknown>> | undefined): boolean {
  const causes = asList(details?.["causes"]) ?? [];
  return causes.some((cause) => asFields(cause)?.["reason"] === "ResourceVersionTooLarge");
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
