/** Bytes of memory that the process may still take; browsers do not tell. */
export function freeMemory(): number | undefined {
  const { process } = globalThis as { process?: { availableMemory?: () => number } };
  return process?.availableMemory?.();
}
