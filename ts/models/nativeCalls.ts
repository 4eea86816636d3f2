/**
 * When a process ends, Node stops its worker threads, and ONNX Runtime aborts the whole process if that happens to a
 * thread in the middle of a run. So a thread says when it is inside, and the thread that started it waits at the end
 * of the process until it is not. `state[0]` counts the calls inside, `state[1]` becomes 1 when the process ends.
 */
export function callState(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(8));
}

let shared: Int32Array | undefined;

/** In a worker thread: from now on, calls into ONNX Runtime are counted in `state`. */
export function countCalls(state: Int32Array): void {
  shared = state;
}

/** Makes a call into ONNX Runtime; never returns if the process is about to end. */
export async function nativeCall<T>(call: () => Promise<T>): Promise<T> {
  if (shared === undefined) return call();
  const state = shared;
  const leave = (): void => {
    Atomics.sub(state, 0, 1);
    Atomics.notify(state, 0);
  };
  Atomics.add(state, 0, 1);
  if (Atomics.load(state, 1) === 1) {
    leave();
    return new Promise(() => {});
  }
  try {
    return await call();
  } finally {
    leave();
  }
}

/** A run of one batch takes a second or two; what lasts longer hangs, and then an abort is the lesser evil. */
const PATIENCE_MS = 30_000;
const running = new Set<Int32Array>();

function waitForCalls(): void {
  for (const state of running) Atomics.store(state, 1, 1);
  const deadline = Date.now() + PATIENCE_MS;
  for (const state of running) {
    for (let inside = Atomics.load(state, 0); inside > 0; inside = Atomics.load(state, 0)) {
      if (Atomics.wait(state, 0, inside, Math.max(0, deadline - Date.now())) === 'timed-out') return;
    }
  }
}

/** In the thread that starts a worker: lets the end of the process wait for its calls until the returned function is called. */
export function guardExit(state: Int32Array): () => void {
  if (running.size === 0) process.on('exit', waitForCalls);
  running.add(state);
  return () => {
    running.delete(state);
    if (running.size === 0) process.off('exit', waitForCalls);
  };
}
