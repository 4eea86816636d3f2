/** Texts that can hold a key of `unsafeKey`; only they are searched for one. */
const SUSPECT = /__proto__|constructor|\\u/;

/**
 * JSON as a value, or what is wrong with it: the end of a sentence that begins with its place. Keys that
 * mean something else to programs which copy objects carelessly are refused.
 */
export function readJson(text: string): { value: unknown } | { error: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return { error: `is not JSON: ${(cause as Error).message}; correct it` };
  }
  const key = SUSPECT.test(text) ? unsafeKey(value) : undefined;
  return key === undefined ? { value } : { error: `has the key ${key}, which is not taken: rename it` };
}

/** Not recursive: JSON may be nested deeper than the stack. */
function unsafeKey(value: unknown): string | undefined {
  const open = [value];
  while (open.length > 0) {
    const part = open.pop();
    if (typeof part !== 'object' || part === null) continue;
    if (Object.hasOwn(part, '__proto__')) return '"__proto__"';
    if (Object.hasOwn(part, 'constructor')) {
      const { constructor: inner } = part as { constructor: unknown };
      if (typeof inner === 'object' && inner !== null && Object.hasOwn(inner, 'prototype')) {
        return '"constructor" with "prototype" in it';
      }
    }
    for (const inner of Object.values(part)) open.push(inner);
  }
  return undefined;
}
