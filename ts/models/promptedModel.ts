import { SeineError } from '../core/errors.ts';
import { openCheckpoint } from '../graph/checkpoint.ts';
import { writeScorer } from '../graph/writeScorer.ts';
import { batches } from './batches.ts';
import type { OpenModelOptions } from './contracts.ts';
import { filledRows } from './filledRows.ts';
import { modelTokenizer } from './modelTokenizer.ts';
import type { PairModel } from './pairModel.ts';
import { PROMPT_FILE, readPrompt } from './prompt.ts';
import { promptReader } from './promptReader.ts';
import { promptTokens } from './promptTokens.ts';
import type { ModelFiles } from './resolveModel.ts';
import { type Item, type Past, ScoringSession } from './scoringSession.ts';
import { openSession, requireFinite } from './session.ts';
import { checkVocabulary } from './textGraph.ts';
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
  const tokenizer = await modelTokenizer(files.directory);
  checkVocabulary(files, tokenizer, config);
  const most = await tokenLimit(files, tokenizer, config, options.maxTokens);
  const maxTokens = options.maxTokens ?? Math.min(most, MOST_PROMPTED_TOKENS);
  const tokens = promptTokens(prompt, tokenizer);
  const { suffix, labels } = tokens;
  const reader = promptReader(tokenizer, tokens, maxTokens);
  if (reader.limit < 2) {
    throw new SeineError(
      'ERR_MODEL',
      `The prompt ${prompt.path} should leave room for query and document, but takes ${maxTokens - reader.limit} of ` +
        `${maxTokens} tokens: shorten it.`,
    );
  }

  const scorer = writeScorer(checkpoint, [labels.no, labels.yes], options.precision);
  const session = await openSession(scorer.onnx, { ...options, externalFolder: scorer.externalFolder });
  const scoring = new ScoringSession(session, scorer);
  const score = async (past: Past, rows: readonly (readonly Item[])[]): Promise<Float32Array> => {
    const logits = await scoring.score(past, rows);
    requireFinite(logits, `A logit of the model ${files.name}`);
    return toScores(logits, logits.length / 2);
  };
  // Where an item lies in a row changes sums in their last digits, which codes of activations would enlarge.
  const rowTokens = options.precision === undefined || options.precision === 'f32' ? ROW_TOKENS : 0;
  try {
    await score(scoring.nothing, [[{ ids: [labels.yes] }]]); // what is not whole shows now
  } catch (error) {
    await session.release();
    throw error;
  }
  return {
    ...reader,
    chunk: CHUNK,
    batchTokens: BATCH_TOKENS,
    readVectors(vectors, room) {
      const count = vectors.length / scorer.hidden;
      if (Number.isInteger(count) && count >= 1 && count <= room) {
        return { ids: new Array<number>(count).fill(labels.yes), vectors, truncated: false }; // any token: it is unseen
      }
      throw new SeineError(
        'ERR_ARGUMENT',
        `A document given as vectors must be 1 to ${room} vectors of ${scorer.hidden} numbers, got ${vectors.length} ` +
          'numbers: give the vectors of this model, and fewer of them if there are too many.',
      );
    },
    async begin(query) {
      const { prefix, truncated, room } = await reader.begin(query);
      let past: Past | undefined;
      return {
        truncated,
        room,
        async *score(documents, budget) {
          past ??= await scoring.read(prefix);
          const items = documents.map(({ ids, vectors }): Item => ({ ids: [...ids, ...suffix], vectors }));
          const rows = filledRows(
            items.map(({ ids }) => ids.length),
            rowTokens,
          );
          const lengths = rows.map((row) => row.reduce((sum, i) => sum + items[i]!.ids.length, 0));
          for (const batch of batches(lengths, budget)) {
            const own = batch.map((row) => rows[row]!);
            const scores = await score(
              past,
              own.map((row) => row.map((i) => items[i]!)),
            );
            yield { places: own.flat(), scores, tokens: batch.length * lengths[batch[0]!]! };
          }
        },
      };
    },
    release: () => session.release(),
  };
}
