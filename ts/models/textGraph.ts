import { SeineError, show } from '../core/errors.ts';
import type { OpenModelOptions } from './contracts.ts';
import { modelGraph } from './modelGraph.ts';
import { modelTokenizer } from './modelTokenizer.ts';
import type { ModelFiles } from './resolveModel.ts';
import type { Session, Tensor } from './session.ts';
import type { TokenIds, Tokenizer } from './tokenizer.ts';
import { tokenLimit } from './tokenLimit.ts';

/** Output of a run: `[batch, …]` float32, perhaps with more rows after those of the batch. */
export interface GraphOutput {
  data: Float32Array;
  dims: readonly number[];
  /** Length that every item was padded to. */
  sequence: number;
}

/** Tokenizer and graph of a model, found to fit each other. Lives in one thread. */
export interface TextGraph {
  readonly tokenizer: Tokenizer;
  readonly session: Session;
  readonly maxTokens: number;
  /** Runs one batch, padded on the right to its longest item. */
  run(batch: readonly TokenIds[], output: string): Promise<GraphOutput>;
  release(): Promise<void>;
}

export async function openTextGraph(files: ModelFiles, options: OpenModelOptions): Promise<TextGraph> {
  const tokenizer = await modelTokenizer(files.directory);
  const { config, open } = await modelGraph(files);
  checkVocabulary(files, tokenizer, config);
  const maxTokens = await tokenLimit(files, tokenizer, config, options.maxTokens);

  const session = await open(options);
  const padId = typeof config.pad_token_id === 'number' ? config.pad_token_id : tokenizer.padId;
  const wide = new Map(session.inputs.map(({ name, type }) => [name, type === 'int64']));
  try {
    for (const { name, type } of session.inputs) {
      const known = name === 'input_ids' || name === 'attention_mask' || name === 'token_type_ids';
      if (!known || (type !== 'int64' && type !== 'int32')) {
        throw new SeineError(
          'ERR_MODEL',
          `The graph ${files.graph} should take input_ids, attention_mask and token_type_ids as int64 or int32 but ` +
            `takes ${name} (${type ?? 'no tensor'}): export the model for feature extraction or text classification.`,
        );
      }
    }
    if (!wide.has('input_ids')) {
      throw new SeineError(
        'ERR_MODEL',
        `The graph ${files.graph} should take input_ids: export the model again.`,
      );
    }
  } catch (error) {
    await session.release();
    throw error;
  }

  return {
    tokenizer,
    session,
    maxTokens,
    async run(batch, output) {
      const rows = batch.length;
      const sequence = batch.reduce((longest, { ids }) => Math.max(longest, ids.length), 1);
      const feeds: Record<string, Tensor> = {};
      for (const [name, is64] of wide) {
        const value = new Int32Array(rows * sequence).fill(name === 'input_ids' ? padId : 0);
        batch.forEach(({ ids, types }, row) => {
          const at = row * sequence;
          if (name === 'attention_mask') value.fill(1, at, at + ids.length);
          else value.set(name === 'input_ids' ? ids : types, at);
        });
        const dims = [rows, sequence];
        feeds[name] = is64
          ? { type: 'int64', dims, data: widen(value) }
          : { type: 'int32', dims, data: value };
      }
      const result = (await session.run(feeds, { outputs: [output] }))[output];
      if (result?.type !== 'float32' || result.dims[0] !== rows) {
        throw new SeineError(
          'ERR_MODEL',
          `The graph's output ${output} should be float32 with ${rows} rows, got ` +
            `${result?.type} [${result?.dims.join(', ')}]: export the model again in float32.`,
        );
      }
      return { data: result.data, dims: result.dims, sequence };
    },
    release: () => session.release(),
  };
}

/** Non-negative int32 to int64 by their words: far quicker than a bigint for each. */
function widen(values: Int32Array): BigInt64Array {
  const words = new Int32Array(values.length * 2); // every platform that ONNX Runtime runs on is little-endian
  for (let i = 0; i < values.length; i++) words[2 * i] = values[i]!;
  return new BigInt64Array(words.buffer);
}

/** Some models have rows to spare, but far more rows than tokens mean another model's tokenizer. */
const LEAST_SHARE = 0.9;

/** Throws `ERR_MODEL` if a tokenizer has more tokens than the model embeddings, or far fewer. */
export function checkVocabulary(
  files: ModelFiles,
  tokenizer: Tokenizer,
  config: Record<string, unknown>,
): void {
  const rows = config.vocab_size;
  if (typeof rows !== 'number') {
    throw new SeineError(
      'ERR_MODEL',
      `The model at ${files.directory} should give vocab_size as a number, got ${show(rows)}: fetch it again.`,
    );
  }
  if (tokenizer.size <= rows && tokenizer.size >= rows * LEAST_SHARE) return;
  throw new SeineError(
    'ERR_MODEL',
    `The tokenizer ${files.files['tokenizer.json'] ?? files.graph} has ${tokenizer.size} tokens and the model ` +
      `${files.files['config.json'] ?? files.graph} embeddings for ${rows}, so they do not belong together: fetch both again.`,
  );
}
