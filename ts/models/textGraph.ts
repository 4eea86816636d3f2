import { SeineError, show } from '../core/errors.ts';
import type { OpenModelOptions } from './contracts.ts';
import { modelGraph } from './modelGraph.ts';
import type { ModelFiles } from './resolveModel.ts';
import type { Session, Tensor } from './session.ts';
import { openTokenizer, readJson, type TokenIds, type Tokenizer } from './tokenizer.ts';

/** Used where no file of a model says how many tokens it takes. */
const DEFAULT_MAX_TOKENS = 512;
const FEWEST_TOKENS = 8;
/** These count positions from the padding id on, so the table has that many rows less to give. */
const OFFSET_POSITIONS = new Set(['roberta', 'xlm-roberta', 'camembert', 'mpnet', 'longformer']);

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
  const path = (name: string): string | undefined => files.files[name];
  const optional = async (name: string): Promise<Record<string, unknown>> => {
    const at = path(name);
    return at === undefined ? {} : readJson(at);
  };
  const tokenizerConfig = await optional('tokenizer_config.json');
  const sentence = await optional('sentence_bert_config.json');
  const tokenizer = await openTokenizer(path('tokenizer.json')!, path('tokenizer_config.json'));
  const { config, open } = await modelGraph(files);
  checkVocabulary(files, tokenizer, config);
  const maxTokens = tokenLimit(files, tokenizer, { config, tokenizerConfig, sentence }, options.maxTokens);

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

  // For one row ONNX Runtime adds its token vectors up in another order than for several: without layers that follow,
  // a second row makes a vector the same to the bit whatever else is in its batch, and costs next to nothing.
  const fewest = config.model_type === 'static-embedding' ? 2 : 1;
  return {
    tokenizer,
    session,
    maxTokens,
    async run(batch, output) {
      const rows = Math.max(fewest, batch.length);
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

function checkVocabulary(files: ModelFiles, tokenizer: Tokenizer, config: Record<string, unknown>): void {
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
    `The tokenizer ${files.files['tokenizer.json']} has ${tokenizer.size} tokens and the model ` +
      `${files.files['config.json']} embeddings for ${rows}, so they do not belong together: fetch both again.`,
  );
}

function tokenLimit(
  files: ModelFiles,
  tokenizer: Tokenizer,
  configs: Record<'config' | 'tokenizerConfig' | 'sentence', Record<string, unknown>>,
  wanted: number | undefined,
): number {
  const { config, tokenizerConfig, sentence } = configs;
  const count = (value: unknown): number | undefined =>
    typeof value === 'number' && value > 0 && value < 1e6 ? value : undefined; // 1e30 stands for "no limit" there
  let positions = count(config.max_position_embeddings);
  if (positions !== undefined && OFFSET_POSITIONS.has(String(config.model_type))) {
    positions -= (count(config.pad_token_id) ?? tokenizer.padId) + 1;
  }
  const own = count(sentence.max_seq_length) ?? count(tokenizerConfig.model_max_length) ?? positions;
  const limit = positions ?? Number.POSITIVE_INFINITY;
  if (wanted === undefined) return Math.min(own ?? DEFAULT_MAX_TOKENS, limit);
  if (!Number.isInteger(wanted) || wanted < FEWEST_TOKENS || wanted > limit) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `maxTokens must be a whole number from ${FEWEST_TOKENS} to ${limit} for the model ${files.name}, got ${show(wanted)}.`,
    );
  }
  return wanted;
}
