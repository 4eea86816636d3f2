/** Settings, or a part of them, before they are checked. */
export type Layer = Record<string, unknown>;

export function isPlain(value: unknown): value is Layer {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Later layers win, field by field; arrays are taken as a whole. */
export function mergeLayers(layers: readonly Layer[]): Layer {
  const merged: Layer = {};
  for (const layer of layers) {
    for (const [name, value] of Object.entries(layer)) {
      if (value === undefined) continue;
      const before = merged[name];
      const both = isPlain(value) ? mergeLayers(isPlain(before) ? [before, value] : [value]) : value;
      // Not an assignment, so that "__proto__" is a name like any other, and refused as unknown.
      Object.defineProperty(merged, name, {
        value: both,
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
  }
  return merged;
}

/** Paths, with dots, of all values that are not objects. */
export function pathsOf(layer: Layer, prefix = ''): string[] {
  return Object.entries(layer).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return isPlain(value) ? pathsOf(value, `${prefix}${name}.`) : [`${prefix}${name}`];
  });
}
