/**
 * Principal axes of rows `[rows, dim]`: orthonormal directions `[dim, dim]` (a row each) by falling mean square of the
 * rows along them. Cyclic Jacobi rotations in float64.
 */
export function principalAxes(rows: Float32Array, dim: number): Float64Array {
  const moments = new Float64Array(dim * dim);
  for (let at = 0; at < rows.length; at += dim) {
    for (let i = 0; i < dim; i++) {
      const value = rows[at + i]!;
      for (let j = i; j < dim; j++) moments[i * dim + j]! += value * rows[at + j]!;
    }
  }
  for (let i = 0; i < dim; i++) {
    for (let j = 0; j < i; j++) moments[i * dim + j] = moments[j * dim + i]!;
  }
  const vectors = jacobi(moments, dim);
  const order = Array.from({ length: dim }, (_, i) => i).sort(
    (a, b) => moments[b * dim + b]! - moments[a * dim + a]!,
  );
  const axes = new Float64Array(dim * dim);
  order.forEach((from, to) => {
    axes.set(vectors.subarray(from * dim, (from + 1) * dim), to * dim);
  });
  return axes;
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
