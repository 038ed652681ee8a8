/** @param share Between 0 and 1; `values` may be in any order and must not be empty. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

export function mebibytes(bytes: number): number {
  return bytes / 2 ** 20;
}
