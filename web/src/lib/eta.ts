// How long the rest of a prompt will take. A straight line through what was read so far is too hopeful, because later
// tokens attend to more before them; so the cost of a token grows with its position, and how fast it grows is fitted.

export interface ReadPoint {
  tokens: number; // computed so far, without what came from the cache
  atMs: number; // since reading began
}

/**
 * Milliseconds until `total` tokens are computed, from at least one point with tokens > 0; NaN before. Fits
 * ms = a·n + b·n² through the points (b ≥ 0, through the origin) and continues from the last one.
 */
export function remainingMs(points: readonly ReadPoint[], total: number): number {
  const known = points.filter((point) => point.tokens > 0 && point.atMs > 0);
  const last = known.at(-1);
  if (!last) return NaN;
  if (last.tokens >= total) return 0;
  const { a, b } = fit(known);
  const at = (n: number) => a * n + b * n * n;
  return Math.max(0, at(total) - at(last.tokens));
}

function fit(points: readonly ReadPoint[]): { a: number; b: number } {
  const last = points.at(-1)!;
  const straight = { a: last.atMs / last.tokens, b: 0 };
  if (points.length < 3) return straight;
  // Least squares on time per token: atMs / n = a + b·n.
  const n = points.length;
  const meanX = points.reduce((sum, point) => sum + point.tokens, 0) / n;
  const meanY = points.reduce((sum, point) => sum + point.atMs / point.tokens, 0) / n;
  let above = 0;
  let below = 0;
  for (const point of points) {
    above += (point.tokens - meanX) * (point.atMs / point.tokens - meanY);
    below += (point.tokens - meanX) ** 2;
  }
  const b = below > 0 ? above / below : 0;
  const a = meanY - b * meanX;
  return b > 0 && a > 0 ? { a, b } : straight;
}
