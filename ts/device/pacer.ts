import { nextTurn } from '../core/nextTurn.ts';

/** Longest stretch of work in milliseconds before the event loop gets its turn. */
const STRETCH = 8;

/** Returns a function to be awaited now and then in a long computation: it yields to the event loop when it is time. */
export function pacer(signal?: AbortSignal): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < STRETCH) return undefined;
    return nextTurn().then(() => {
      signal?.throwIfAborted();
      since = performance.now();
    });
  };
}
