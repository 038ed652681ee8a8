/** The candidate a person most likely meant, or undefined when none is near enough to be worth naming. */
function suggest(written: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  // A third of the letters wrong is still a typing error; more is another word.
  let bestDistance = Math.floor(Math.max(written.length, 3) / 3) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(written.toLowerCase(), candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** ` (did you mean X?)`, or nothing. */
export function didYouMean(written: string, candidates: readonly string[], prefix = ""): string {
  const candidate = suggest(written, candidates);
  return candidate === undefined ? "" : ` (did you mean ${prefix}${candidate}?)`;
}

/** Optimal string alignment: insertions, deletions, substitutions, and swaps of two neighbours. */
function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const substitution = previous[column - 1] + (from[row - 1] === to[column - 1] ? 0 : 1);
      const isSwap = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const swap = isSwap ? beforePrevious[column - 2] + 1 : Infinity;
      current.push(Math.min(substitution, previous[column] + 1, current[column - 1] + 1, swap));
    }
    [beforePrevious, previous] = [previous, current];
  }
  return previous[to.length];
}
