/** Counts the turns of the event loop, so that a test can see what shares one: no timers, no clock. */
export function countTurns(): { readonly count: number; stop(): void } {
  const turns = { count: 0, stop: () => clearImmediate(next) };
  const turn = (): void => {
    turns.count++;
    next = setImmediate(turn);
  };
  let next = setImmediate(turn);
  return turns;
}

/** Of events at these turns, the most that one turn had. */
export function mostInOneTurn(turns: number[]): number {
  const counts = new Map<number, number>();
  for (const turn of turns) counts.set(turn, (counts.get(turn) ?? 0) + 1);
  return Math.max(...counts.values());
}
