import type { TrainableTransformer } from '../graph/trainableTransformer.ts';
import type { Batch, EmitLoss } from './gradients.ts';
import type { Loss } from './losses/loss.ts';
import type { TrainingGroup } from './trainingGroup.ts';

/** What every task is made of. */
export interface TaskOptions {
  model: TrainableTransformer;
  padId: number;
  /** Groups of a batch. */
  lists: number;
  /** Documents of a group at most. */
  size: number;
  /** Of a text or a pair, special tokens included. */
  maxTokens: number;
  loss: Loss;
}

/** How groups become batches, and batches losses. */
export interface Task {
  /** Of `lists` groups. */
  batch(groups: readonly TrainingGroup[]): Promise<Batch>;
  loss: EmitLoss;
  /** Vectors that are learnt beside the model's weights, by name, with their values at the start. */
  parameters?: Readonly<Record<string, Float32Array>> | undefined;
}
