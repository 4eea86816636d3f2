/** The longest that a timer can wait. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Waits for `work`, which never rejects, but not beyond `deadline` on `performance.now()`'s clock: then false. Rejects
 * with `signal.reason` as soon as it is aborted.
 */
export async function until(
  work: Promise<unknown>,
  { signal, deadline }: { signal?: AbortSignal | undefined; deadline?: number | undefined },
): Promise<boolean> {
  signal?.throwIfAborted();
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  try {
    return await new Promise<boolean>((resolve, reject) => {
      void work.then(() => resolve(true));
      onAbort = () => reject(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      if (deadline === undefined) return;
      timer = setTimeout(() => resolve(false), Math.min(LONGEST_MS, deadline - performance.now()));
    });
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
  }
}
