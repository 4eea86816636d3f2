import type { Checkpoint } from '../../graph/checkpoint.ts';
import { type Calibration, type CalibrationRun, runCalibration } from './calibration.ts';
import { calibrationGraph, gramOf } from './calibrationGraph.ts';

/**
 * `XᵀX [columns, columns]` of what each of the named matrices reads, over all tokens: float32 within a batch, float64
 * over the batches.
 */
export async function gramMatrices(
  checkpoint: Checkpoint,
  calibration: Calibration,
  matrices: readonly string[],
  run: CalibrationRun,
): Promise<Map<string, Float64Array>> {
  const sums = new Map<string, Float64Array>();
  const visit = (outputs: Record<string, Float32Array>): void => {
    for (const name of matrices) {
      const gram = outputs[gramOf(name)]!;
      const sum = sums.get(name) ?? new Float64Array(gram.length);
      for (let i = 0; i < gram.length; i++) sum[i]! += gram[i]!;
      sums.set(name, sum);
    }
  };
  await runCalibration(calibrationGraph(checkpoint, matrices), calibration, visit, run);
  return sums;
}
