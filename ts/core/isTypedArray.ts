interface Kinds {
  Float32Array: Float32Array;
  Uint32Array: Uint32Array;
}

/** The tag lies on the prototype that all typed arrays share and looks at the object itself: nothing can imitate it. */
const tagOf = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)!.get!;

/** Whether `value` is a typed array of this kind, of whichever realm. */
export function isTypedArray<K extends keyof Kinds>(value: unknown, kind: K): value is Kinds[K] {
  return tagOf.call(value) === kind;
}
