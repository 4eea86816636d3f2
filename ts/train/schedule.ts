/** Learning rate at `step` (1 … steps): rises linearly over `warmup` steps to `peak`, then falls linearly to 0. */
export function learningRate(
  step: number,
  { steps, warmup, peak }: { steps: number; warmup: number; peak: number },
): number {
  return step <= warmup ? (peak * step) / warmup : (peak * (steps - step)) / Math.max(1, steps - warmup);
}
