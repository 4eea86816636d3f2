import { openCheckpoint } from '../../ts/graph/checkpoint.ts';
import { writeScorer } from '../../ts/graph/writeScorer.ts';
import { batches } from '../../ts/models/batches.ts';
import { filledRows } from '../../ts/models/filledRows.ts';
import { promptPath, readPrompt } from '../../ts/models/prompt.ts';
import { promptTokens } from '../../ts/models/promptTokens.ts';
import { ScoringSession } from '../../ts/models/scoringSession.ts';
import { openSession } from '../../ts/models/session.ts';
import { openTokenizer } from '../../ts/models/tokenizer.ts';
import { toScores } from '../../ts/models/toScores.ts';
import type { Work } from './postings.ts';

const MODEL = '../shared/models/SmolLM2-135M-Instruct';
/** As the product's own. */
const BATCH_TOKENS = 2048;

/** Ways to score the first `count` items, or all, by one graph. Each returns the score of every one. */
export interface Ways {
  /** Tokens before a document, and of each document with what stands behind it. */
  tokens: { prefix: number; items: number[] };
  /** Every item with all that stands before it. */
  whole(count?: number): Promise<Float32Array>;
  /** What stands before is read once; one item a row. */
  prefix(count?: number): Promise<Float32Array>;
  /** As `prefix`, but items share rows of so many tokens. */
  rows(capacity: number, count?: number): Promise<Float32Array>;
}

export async function languageModel(
  { query, documents }: Work,
  longest: number,
): Promise<Ways & { release(): Promise<void> }> {
  const tokenizer = await openTokenizer(`${MODEL}/tokenizer.json`, `${MODEL}/tokenizer_config.json`);
  const tokens = promptTokens(await readPrompt(promptPath(MODEL)!), tokenizer);
  const scorer = writeScorer(openCheckpoint(MODEL), [tokens.labels.no, tokens.labels.yes]);
  const session = await openSession(scorer.onnx, { externalFolder: scorer.externalFolder });
  const scoring = new ScoringSession(session, scorer);
  const prefix = tokens.prefix(query);
  const items = documents.map((document) => [...tokens.document(document, longest).ids, ...tokens.suffix]);

  /** `rows` hold indices of items. */
  const score = async (rows: number[][], before: readonly number[]): Promise<Float32Array> => {
    const past = before.length === 0 ? await scoring.read(prefix) : scoring.nothing;
    const scores = new Float32Array(rows.flat().length);
    const lengths = rows.map((row) => row.reduce((sum, i) => sum + before.length + items[i]!.length, 0));
    for (const batch of batches(lengths, BATCH_TOKENS)) {
      const own = batch.map((row) => rows[row]!);
      const logits = await scoring.score(
        past,
        own.map((row) => row.map((i) => ({ ids: [...before, ...items[i]!] }))),
      );
      const found = toScores(logits, logits.length / 2);
      for (const [slot, i] of own.flat().entries()) scores[i] = found[slot]!;
    }
    return scores;
  };
  const alone = (count = items.length) => Array.from({ length: count }, (_, i) => [i]);
  return {
    tokens: { prefix: prefix.length, items: items.map(({ length }) => length) },
    whole: (count) => score(alone(count), prefix),
    prefix: (count) => score(alone(count), []),
    rows(capacity, count) {
      const lengths = items.slice(0, count).map(({ length }) => length);
      return score(filledRows(lengths, capacity), []);
    },
    release: () => session.release(),
  };
}
