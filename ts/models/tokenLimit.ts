import { SeineError, show } from '../core/errors.ts';
import type { ModelFiles } from './resolveModel.ts';
import { readJson, type Tokenizer } from './tokenizer.ts';

/** Used where no file of a model says how many tokens it takes. */
const DEFAULT_MAX_TOKENS = 512;
const FEWEST_TOKENS = 8;
/** These count positions from the padding id on, so the table has that many rows less to give. */
const OFFSET_POSITIONS = new Set(['roberta', 'xlm-roberta', 'camembert', 'mpnet', 'longformer']);

/**
 * Tokens of a text that a model takes, special tokens included: `wanted`, or what its files say. Throws `ERR_ARGUMENT`
 * if more are wanted than it has positions for.
 */
export async function tokenLimit(
  files: ModelFiles,
  tokenizer: Tokenizer,
  config: Readonly<Record<string, unknown>>,
  wanted: number | undefined,
): Promise<number> {
  const optional = async (name: string): Promise<Record<string, unknown>> => {
    const at = files.files[name];
    return at === undefined ? {} : readJson(at);
  };
  const tokenizerConfig = await optional('tokenizer_config.json');
  const sentence = await optional('sentence_bert_config.json');
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
