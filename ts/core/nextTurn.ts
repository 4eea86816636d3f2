const { setImmediate } = globalThis as { setImmediate?: (done: () => void) => unknown };

/** Resolves in a later turn of the event loop, so that what waits there comes first. */
export const nextTurn: () => Promise<void> =
  setImmediate === undefined
    ? turnByMessage()
    : () =>
        new Promise((resolve) => {
          setImmediate(resolve);
        });

/** Browsers have no `setImmediate`, and their timers wait for 4 ms or, out of sight, for a second. */
function turnByMessage(): () => Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  // Node's types, which this is checked with too, lack the property.
  Object.assign(port1, { onmessage: () => waiting.shift()?.() });
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      port2.postMessage(undefined);
    });
}
