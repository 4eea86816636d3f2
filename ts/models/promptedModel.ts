import { SeineError } from '../core/errors.ts';
import { openCheckpoint } from '../graph/checkpoint.ts';
import { writeScorer } from '../graph/writeScorer.ts';
import { batches } from './batches.ts';
import type { OpenModelOptions } from './contracts.ts';
import { filledRows } from './filledRows.ts';
import type { PairModel } from './pairModel.ts';
import { PROMPT_FILE, readPrompt } from './prompt.ts';
import { promptTokens } from './promptTokens.ts';
import { readingOf } from './readingOf.ts';
import type { ModelFiles } from './resolveModel.ts';
import { type Past, ScoringSession } from './scoringSession.ts';
import { openSession, requireFinite } from './session.ts';
import { checkVocabulary } from './textGraph.ts';
import { openTokenizer, type PartIds } from './tokenizer.ts';
import { tokenLimit } from './tokenLimit.ts';
import { toScores } from './toScores.ts';

/** Tokens of a batch, padding included: few, for a matrix of similarities lies beside them. */
const BATCH_TOKENS = 2048;
/**
 * Items share rows of so many tokens, each unseen by the others, for rows also copy what stands before: with a row for
 * each, titles took 1.14 times as long, and longer rows were no quicker (`bench/results/rank.json`).
 */
const ROW_TOKENS = 128;
const CHUNK = { documents: 8, tokens: 256 };
/** Tokens that are read where no more are asked for: language models have positions for far more than is quick. */
export const MOST_PROMPTED_TOKENS = 2048;

/**
 * Opens a language model as a ranker: it is asked by a prompt whether a document is relevant to a query. A score is
 * the logit of the answer yes less that of no, at the last position; its logistic function is the probability of yes
 * under the softmax of the two. What stands before the document is computed once for a query.
 */
export async function openPromptedModel(files: ModelFiles, options: OpenModelOptions): Promise<PairModel> {
  const checkpoint = openCheckpoint(files.directory);
  const { config } = checkpoint;
  const prompt = await readPrompt(files.files[PROMPT_FILE]!);
  const tokenizer = await openTokenizer(files.files['tokenizer.json']!, files.files['tokenizer_config.json']);
  checkVocabulary(files, tokenizer, config);
  const most = await tokenLimit(files, tokenizer, config, options.maxTokens);
  const maxTokens = options.maxTokens ?? Math.min(most, MOST_PROMPTED_TOKENS);
  const tokens = promptTokens(prompt, tokenizer);
  const { suffix, labels } = tokens;
  const limit = maxTokens - tokens.prefix('').length - suffix.length;
  const half = Math.floor(limit / 2);
  if (half < 1) {
    throw new SeineError(
      'ERR_MODEL',
      `The prompt ${prompt.path} should leave room for query and document, but takes ${maxTokens - limit} of ` +
        `${maxTokens} tokens: shorten it.`,
    );
  }
  /** Half of the room at most, so that the document is read too. */
  const readQuery = (query: string): PartIds => tokenizer.plain(query, half);

  const scorer = writeScorer(checkpoint, [labels.no, labels.yes], options.precision);
  const session = await openSession(scorer.onnx, { ...options, externalFolder: scorer.externalFolder });
  const scoring = new ScoringSession(session, scorer);
  const score = async (past: Past, rows: readonly (readonly number[])[][]): Promise<Float32Array> => {
    const logits = await scoring.score(past, rows);
    requireFinite(logits, `A logit of the model ${files.name}`);
    return toScores(logits, logits.length / 2);
  };
  // Where an item lies in a row changes sums in their last digits, which codes of activations would enlarge.
  const rowTokens = options.precision === undefined || options.precision === 'f32' ? ROW_TOKENS : 0;
  try {
    await score(scoring.nothing, [[[labels.yes]]]); // what is not whole shows now
  } catch (error) {
    await session.release();
    throw error;
  }
  return {
    tokenizer: { part: tokenizer.plain },
    maxTokens,
    limit,
    chunk: CHUNK,
    readQuery,
    readDocument: (document, room) => tokens.document(document, room),
    async begin(query) {
      const { truncated } = readQuery(query);
      const { end } = truncated
        ? await readingOf(query, readQuery, { part: tokenizer.plain })
        : { end: query.length };
      const prefix = tokens.prefix(query.slice(0, end));
      let past: Past | undefined;
      return {
        truncated,
        room: maxTokens - prefix.length - suffix.length,
        async *score(documents) {
          past ??= await scoring.read(prefix);
          const items = documents.map(({ ids }) => [...ids, ...suffix]);
          const rows = filledRows(
            items.map((ids) => ids.length),
            rowTokens,
          );
          const lengths = rows.map((row) => row.reduce((sum, i) => sum + items[i]!.length, 0));
          for (const batch of batches(lengths, BATCH_TOKENS)) {
            const own = batch.map((row) => rows[row]!);
            const scores = await score(
              past,
              own.map((row) => row.map((i) => items[i]!)),
            );
            yield { places: own.flat(), scores };
          }
        },
      };
    },
    release: () => session.release(),
  };
}
