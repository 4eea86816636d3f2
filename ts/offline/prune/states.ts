import type { Checkpoint } from '../../graph/checkpoint.ts';
import { writeTransformer } from '../../graph/writeTransformer.ts';
import { type Calibration, type CalibrationRun, runCalibration } from './calibration.ts';

/** Final hidden states of every batch, 0 for padding. */
export async function statesOf(
  checkpoint: Checkpoint,
  calibration: Calibration,
  run: CalibrationRun = {},
): Promise<Float32Array[]> {
  const states: Float32Array[] = [];
  const visit = ({ last_hidden_state: all }: Record<string, Float32Array>, mask: BigInt64Array): void => {
    const dim = all!.length / mask.length;
    mask.forEach((present, token) => {
      if (present === 0n) all!.fill(0, token * dim, (token + 1) * dim);
    });
    states.push(all!);
  };
  await runCalibration(writeTransformer(checkpoint, { kind: 'states' }), calibration, visit, run);
  return states;
}

/** `‖A − B‖² / ‖A‖²` of states A and those that stand in for them. */
export function statesError(states: readonly Float32Array[], others: readonly Float32Array[]): number {
  let [off, all] = [0, 0];
  states.forEach((values, batch) => {
    const other = others[batch]!;
    for (let i = 0; i < values.length; i++) {
      off += (values[i]! - other[i]!) ** 2;
      all += values[i]! ** 2;
    }
  });
  return off / all;
}
