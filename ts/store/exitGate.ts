/**
 * Lets a process end while a worker thread has a database open: ending a thread in the middle of a statement aborts
 * the process. The worker enters the gate before it touches the database and leaves it after; the main thread, on its
 * way out, shuts the gate and waits until the worker is outside. A backup under way is finished first.
 */
const INSIDE = 0;
const SHUT = 1;

/** The shared state of a gate. */
export function newGate(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(8));
}

/** Does `work` inside the gate; does nothing once it is shut. */
export function insideGate(gate: Int32Array<SharedArrayBuffer>, work: () => void): void {
  enterGate(gate);
  try {
    if (Atomics.load(gate, SHUT) === 0) work();
  } finally {
    leaveGate(gate);
  }
}

/** For work that goes on after the call; whoever enters must leave. */
export function enterGate(gate: Int32Array<SharedArrayBuffer>): void {
  Atomics.add(gate, INSIDE, 1);
}

export function leaveGate(gate: Int32Array<SharedArrayBuffer>): void {
  Atomics.sub(gate, INSIDE, 1);
  Atomics.notify(gate, INSIDE);
}

/** Shuts the gate and waits until nobody is inside. */
export function shutGate(gate: Int32Array<SharedArrayBuffer>): void {
  Atomics.store(gate, SHUT, 1);
  for (let inside = Atomics.load(gate, INSIDE); inside > 0; inside = Atomics.load(gate, INSIDE)) {
    Atomics.wait(gate, INSIDE, inside);
  }
}

const open = new Set<Int32Array<SharedArrayBuffer>>();
const shutAll = (): void => {
  for (const gate of open) shutGate(gate);
};

/** Shuts `gate` when the process ends, unless it is released before. */
export function shutOnExit(gate: Int32Array<SharedArrayBuffer>): void {
  if (open.size === 0) process.on('exit', shutAll);
  open.add(gate);
}

export function release(gate: Int32Array<SharedArrayBuffer>): void {
  open.delete(gate);
  if (open.size === 0) process.off('exit', shutAll);
}
