/** Indices by falling score; equal ones in their order, NaN last. */
export function byScore(scores: Float32Array): number[] {
  const key = (i: number): number => (Number.isNaN(scores[i]) ? Number.NEGATIVE_INFINITY : scores[i]!);
  return [...scores.keys()].sort((a, b) => key(b) - key(a) || a - b);
}
