/**
 * Logits `[rows, labels]` to one score a row: the logit itself of one label, the difference of two (log-odds of the
 * second), the expected label under softmax of more (grades that rise with relevance).
 */
export function toScores(logits: Float32Array, rows: number): Float32Array {
  const labels = logits.length / rows;
  if (labels === 1) return logits.slice();
  const scores = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const own = logits.subarray(row * labels, (row + 1) * labels);
    if (labels === 2) {
      scores[row] = own[1]! - own[0]!;
      continue;
    }
    const top = Math.max(...own);
    let total = 0;
    let weighted = 0;
    for (let label = 0; label < labels; label++) {
      const weight = Math.exp(own[label]! - top);
      total += weight;
      weighted += weight * label;
    }
    scores[row] = weighted / total;
  }
  return scores;
}
