/** Where each parameter lies in the one flat vector that an optimiser works on. */
export interface FlatLayout {
  /** In the order of the vector: parameters with weight decay come first. */
  readonly entries: readonly { name: string; shape: readonly number[]; offset: number; size: number }[];
  readonly size: number;
  /** The first so many elements get weight decay: matrices do, biases and norms do not. */
  readonly decayed: number;
}

/** Lays out parameters by name -> shape. */
export function flatLayout(shapes: Readonly<Record<string, readonly number[]>>): FlatLayout {
  const matrices = Object.entries(shapes).filter(([, shape]) => shape.length > 1);
  const vectors = Object.entries(shapes).filter(([, shape]) => shape.length <= 1);
  let size = 0;
  let decayed = 0;
  const entries = [...matrices, ...vectors].map(([name, shape]) => {
    const count = shape.reduce((product, dim) => product * dim, 1);
    const offset = size;
    size += count;
    if (shape.length > 1) decayed = size;
    return { name, shape, offset, size: count };
  });
  return { entries, size, decayed };
}

/** A layout, and values by it, with further vectors at the end: what was there stays where it is. */
export function withVectors(
  { entries, size, decayed }: FlatLayout,
  values: Float32Array,
  vectors: Readonly<Record<string, Float32Array>>,
): { layout: FlatLayout; initial: Float32Array } {
  let end = size;
  const added = Object.entries(vectors).map(([name, vector]) => {
    const offset = end;
    end += vector.length;
    return { name, shape: [vector.length], offset, size: vector.length };
  });
  const initial = new Float32Array(end);
  initial.set(values);
  for (const { name, offset } of added) initial.set(vectors[name]!, offset);
  return { layout: { entries: [...entries, ...added], size: end, decayed }, initial };
}
