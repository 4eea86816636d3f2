type Growable = Float64Array | BigInt64Array | Int8Array | Int32Array | Uint32Array;

/** The array itself if it holds `length` values, else a copy of at least twice its length, new places filled. */
export function grown<T extends Growable>(values: T, length: number, fill: T[number]): T {
  if (length <= values.length) return values;
  const bigger = new (values.constructor as new (length: number) => T)(
    Math.max(1024, 2 * values.length, length),
  );
  (bigger as Uint32Array).fill(fill as number);
  (bigger as Uint32Array).set(values as Uint32Array);
  return bigger;
}
