import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { SeineError } from '../core/errors.ts';
import { batches } from './batches.ts';
import type { OpenModelOptions, PairReading, Scored, TextHeads, TextReading } from './contracts.ts';
import type {
  CallContext,
  HeadArguments,
  PairArguments,
  PairScorerInfo,
  ScoreArguments,
} from './inferenceProtocol.ts';
import { readingOf } from './readingOf.ts';
import type { ModelFiles } from './resolveModel.ts';
import { requireFinite, type TensorInfo } from './session.ts';
import { openTextGraph } from './textGraph.ts';
import { type PartIds, readJson, type TokenIds } from './tokenizer.ts';

/** The cross-encoder's part in the worker thread. */
export interface PairScorer {
  readonly info: PairScorerInfo;
  score(args: ScoreArguments, context: CallContext): Promise<Scored>;
  readPair(args: PairArguments): Promise<PairReading>;
  heads(args: HeadArguments, context: CallContext): Promise<TextHeads>;
  release(): Promise<void>;
}

/** Tokens of a batch, padding included. */
const BATCH_TOKENS = 4096;
/** With a deadline: documents that are scored between two looks at the clock. */
const CHUNK = 8;

/** Opens a sequence classification model with an output `logits` `[batch, labels]`. */
export async function openPairScorer(files: ModelFiles, options: OpenModelOptions): Promise<PairScorer> {
  const extras = files.files['seine.json'];
  const blend = extras === undefined ? undefined : (await readJson(extras)).blend;
  if (blend !== undefined && (typeof blend !== 'number' || !(blend >= 0 && blend <= 1))) {
    throw new SeineError('ERR_MODEL', `${extras} should give blend as a number from 0 to 1: correct it.`);
  }
  const graph = await openTextGraph(files, options);
  try {
    const { tokenizer, maxTokens } = graph;
    const output = chooseOutput(graph.session.outputs, files);
    const limit = maxTokens - tokenizer.specials.pair;

    /** The query's tokens that are read: half of the room at most, so that the document is read too. */
    const readQuery = (query: string): PartIds => {
      const whole = tokenizer.part(query, limit);
      const half = Math.floor(maxTokens / 2);
      return whole.ids.length > half ? { ids: whole.ids.slice(0, half), truncated: true } : whole;
    };

    const run = async (batch: readonly TokenIds[]): Promise<Float32Array> => {
      const { data } = await graph.run(batch, output.name);
      requireFinite(data, `A logit of the model ${files.name}`);
      return toScores(data, batch.length);
    };
    await run([tokenizer.pair(tokenizer.part('x', limit), tokenizer.part('x', limit - 1))]);

    return {
      info: { maxTokens, blend },
      async score({ query, documents, deadline }, context) {
        const first = readQuery(query);
        const result: Scored = {
          scores: new Float32Array(documents.length),
          scored: 0,
          truncated: new Uint8Array(documents.length),
          queryTruncated: first.truncated,
        };
        const step = deadline === undefined ? documents.length : CHUNK;
        for (let start = 0; start < documents.length; start += step) {
          if (isPast(deadline)) break;
          const parts = documents
            .slice(start, start + step)
            .map((document) => tokenizer.part(document, limit - first.ids.length));
          const pairs = parts.map((part) => tokenizer.pair(first, part));
          for (const places of batches(
            pairs.map(({ ids }) => ids.length),
            BATCH_TOKENS,
          )) {
            if (context.aborted()) return result;
            const scores = await run(places.map((place) => pairs[place]!));
            for (const [i, place] of places.entries()) result.scores[start + place] = scores[i]!;
          }
          result.scored += pairs.length;
          result.truncated.set(
            parts.map(({ truncated }) => Number(truncated)),
            start,
          );
        }
        return result;
      },
      async readPair({ query, document }) {
        const first = readQuery(query);
        const second = (text: string): PartIds => tokenizer.part(text, limit - first.ids.length);
        return {
          query: await readingOf(query, readQuery, tokenizer),
          document: await readingOf(document, second, tokenizer),
        };
      },
      async heads({ texts, maxTokens, deadline }, context) {
        const read = (text: string): PartIds => tokenizer.part(text, Math.min(maxTokens, limit));
        const readings: TextReading[] = [];
        for (const text of texts) {
          if (context.aborted() || isPast(deadline)) break;
          readings.push(await readingOf(text, read, tokenizer));
          await setImmediate();
        }
        return {
          texts: readings.map(({ end }, i) => texts[i]!.slice(0, end)),
          tokens: Uint32Array.from(readings, ({ kept }) => kept),
        };
      },
      release: () => graph.release(),
    };
  } catch (error) {
    await graph.release();
    throw error;
  }
}

/** Whether a deadline, in milliseconds since 1970, has passed. */
function isPast(deadline: number | undefined): boolean {
  return deadline !== undefined && performance.timeOrigin + performance.now() > deadline;
}

function chooseOutput(outputs: readonly TensorInfo[], files: ModelFiles): TensorInfo {
  const output = outputs.find(({ name }) => name === 'logits');
  if (output !== undefined && output.dims.length <= 2) return output;
  const described = outputs.map(({ name, dims }) => `${name} [${dims.join(', ')}]`).join(', ');
  throw new SeineError(
    'ERR_MODEL',
    `The ranker ${files.name} should have an output logits [batch, labels] but has ${described}: it is no ` +
      'cross-encoder, or export it for text classification.',
  );
}

/**
 * Logits `[rows, labels]` to one score a row: the logit itself of one label, the difference of two (log-odds of the
 * second), the expected label under softmax of more (grades that rise with relevance).
 */
export function toScores(logits: Float32Array, rows: number): Float32Array {
  const labels = logits.length / rows;
  if (labels === 1) return logits.slice();
  const scores = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const own = logits.subarray(row * labels, (row + 1) * labels);
    if (labels === 2) {
      scores[row] = own[1]! - own[0]!;
      continue;
    }
    const top = Math.max(...own);
    let total = 0;
    let weighted = 0;
    for (let label = 0; label < labels; label++) {
      const weight = Math.exp(own[label]! - top);
      total += weight;
      weighted += weight * label;
    }
    scores[row] = weighted / total;
  }
  return scores;
}
