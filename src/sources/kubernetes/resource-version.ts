const DECIMAL = /^[1-9]\d*$/;

/**
 * Compares two resourceVersions as decimal integers of any size (KEP-5504: that is what they are).
 * @returns Negative, zero or positive; undefined where one of them is something else, and order is unknown.
 */
export function compareResourceVersions(left: string, right: string): number | undefined {
  if (!DECIMAL.test(left) || !DECIMAL.test(right)) return undefined;
  if (left.length !== right.length) return left.length - right.length;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** A resourceVersion that a list or watch can start from; undefined for everything else. */
export function asResourceVersion(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value !== "0" && value.length <= 128
    ? value
    : undefined;
}
