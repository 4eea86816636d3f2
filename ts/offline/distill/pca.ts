/**
 * Principal axes of rows `[rows, dim]` with a weight each: orthonormal directions `[dim, dim]` (a row each) by falling
 * variance, about the weighted mean `[dim]`. Cyclic Jacobi rotations in float64.
 */
export function principalAxes(
  rows: Float32Array,
  weights: Float64Array,
  dim: number,
): { mean: Float64Array; axes: Float64Array; variances: Float64Array } {
  const count = weights.length;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = new Float64Array(dim);
  for (let row = 0; row < count; row++) {
    for (let i = 0; i < dim; i++) mean[i]! += (weights[row]! / total) * rows[row * dim + i]!;
  }
  const covariance = new Float64Array(dim * dim);
  const centred = new Float64Array(dim);
  for (let row = 0; row < count; row++) {
    const weight = weights[row]! / total;
    if (weight === 0) continue;
    for (let i = 0; i < dim; i++) centred[i] = rows[row * dim + i]! - mean[i]!;
    for (let i = 0; i < dim; i++) {
      const scaled = weight * centred[i]!;
      for (let j = i; j < dim; j++) covariance[i * dim + j]! += scaled * centred[j]!;
    }
  }
  for (let i = 0; i < dim; i++) {
    for (let j = 0; j < i; j++) covariance[i * dim + j] = covariance[j * dim + i]!;
  }
  const vectors = jacobi(covariance, dim);
  const order = Array.from({ length: dim }, (_, i) => i).sort(
    (a, b) => covariance[b * dim + b]! - covariance[a * dim + a]!,
  );
  const axes = new Float64Array(dim * dim);
  order.forEach((from, to) => {
    axes.set(vectors.subarray(from * dim, (from + 1) * dim), to * dim);
  });
  return { mean, axes, variances: Float64Array.from(order, (i) => covariance[i * dim + i]!) };
}

/** Diagonalises a symmetric matrix in place; returns its eigenvectors as rows. */
function jacobi(matrix: Float64Array, n: number): Float64Array {
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  let scale = 0;
  for (let i = 0; i < n; i++) scale += matrix[i * n + i]! ** 2;
  for (let sweep = 0; sweep < 30; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += matrix[p * n + q]! ** 2;
    if (off <= scale * 1e-18) break;
    for (let p = 0; p < n - 1; p++) {
      for (let q = p + 1; q < n; q++) rotate(matrix, vectors, n, p, q);
    }
  }
  return vectors;
}

/** Makes the element (p, q) zero by a rotation; rows and columns of the symmetric matrix are both kept. */
function rotate(matrix: Float64Array, vectors: Float64Array, n: number, p: number, q: number): void {
  const element = matrix[p * n + q]!;
  if (element === 0) return;
  const theta = (matrix[q * n + q]! - matrix[p * n + p]!) / (2 * element);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let i = 0; i < n; i++) {
    const a = matrix[p * n + i]!;
    const b = matrix[q * n + i]!;
    matrix[p * n + i] = c * a - s * b;
    matrix[q * n + i] = s * a + c * b;
  }
  for (let i = 0; i < n; i++) {
    const a = matrix[i * n + p]!;
    const b = matrix[i * n + q]!;
    matrix[i * n + p] = c * a - s * b;
    matrix[i * n + q] = s * a + c * b;
  }
  for (let i = 0; i < n; i++) {
    const a = vectors[p * n + i]!;
    const b = vectors[q * n + i]!;
    vectors[p * n + i] = c * a - s * b;
    vectors[q * n + i] = s * a + c * b;
  }
}
