import { nextTurn } from '../../core/nextTurn.ts';
import type { Checkpoint } from '../../graph/checkpoint.ts';
import { ModelConfig } from '../../graph/modelConfig.ts';
import type { WrittenTransformer } from '../../graph/writeTransformer.ts';
import { batches } from '../../models/batches.ts';
import { modelTokenizer } from '../../models/modelTokenizer.ts';
import { openSession, type Tensor } from '../../models/session.ts';
import type { TokenIds } from '../../models/tokenizer.ts';

/** Texts as a model reads them, in batches. */
export interface Calibration {
  batches: Batch[];
  tokens: number;
}

interface Batch {
  /** int64 `[batch, sequence]` by the name of the input. */
  feeds: Record<string, Tensor<'int64'>>;
  tokens: number;
}

export interface CalibrationRun {
  signal?: AbortSignal | undefined;
  onTokens?: ((tokens: number) => void) | undefined;
}

/** Of a text, no more tokens are read. */
const LONGEST = 256;
const BATCH_TOKENS = 1024;

/** Cuts texts into tokens until `mostTokens` are there. Errors: `ERR_MODEL` if there is no tokenizer. */
export async function calibrate(
  { directory, config }: Checkpoint,
  texts: readonly string[],
  mostTokens: number,
): Promise<Calibration> {
  const tokenizer = await modelTokenizer(directory);
  const fields = new ModelConfig(config, directory);
  const limit = Math.min(LONGEST, fields.count('max_position_embeddings', LONGEST) - 2); // RoBERTa counts from 2
  const read: TokenIds[] = [];
  let tokens = 0;
  for (const text of texts) {
    if (tokens >= mostTokens) break;
    const ids = tokenizer.single(text, limit);
    read.push(ids);
    tokens += ids.ids.length;
  }
  const made = [
    ...batches(
      read.map(({ ids }) => ids.length),
      BATCH_TOKENS,
    ),
  ].map((places) =>
    batchOf(
      places.map((place) => read[place]!),
      fields.number('pad_token_id', tokenizer.padId),
    ),
  );
  return { batches: made, tokens };
}

function batchOf(texts: readonly TokenIds[], padId: number): Batch {
  const length = Math.max(...texts.map(({ ids }) => ids.length));
  const int64 = (padding: number, valuesOf: (text: TokenIds) => ArrayLike<number>): Tensor<'int64'> => {
    const data = new BigInt64Array(texts.length * length).fill(BigInt(padding));
    texts.forEach((text, row) => {
      data.set(Array.from(valuesOf(text), BigInt), row * length);
    });
    return { type: 'int64', dims: [texts.length, length], data };
  };
  return {
    feeds: {
      input_ids: int64(padId, ({ ids }) => ids),
      attention_mask: int64(0, ({ ids }) => new Uint8Array(ids.length).fill(1)),
      token_type_ids: int64(0, ({ types }) => types),
    },
    tokens: texts.reduce((sum, { ids }) => sum + ids.length, 0),
  };
}

/** Runs a graph on all batches, one after the other. Rejects with `signal.reason` when aborted. */
export async function runCalibration(
  { onnx, externalFolder }: WrittenTransformer,
  calibration: Calibration,
  visit: (outputs: Record<string, Float32Array>, mask: BigInt64Array) => void,
  { signal, onTokens }: CalibrationRun = {},
): Promise<void> {
  const session = await openSession(onnx, { externalFolder });
  try {
    for (const { feeds, tokens } of calibration.batches) {
      await nextTurn(); // a run occupies the thread, and an interruption must be heard
      signal?.throwIfAborted();
      const taken = session.inputs.map(({ name }) => [name, feeds[name]!]);
      const outputs = await session.run(Object.fromEntries(taken));
      const named = Object.entries(outputs).map(([name, { data }]) => [name, data as Float32Array]);
      visit(Object.fromEntries(named), feeds.attention_mask!.data);
      onTokens?.(tokens);
    }
  } finally {
    await session.release();
  }
}
