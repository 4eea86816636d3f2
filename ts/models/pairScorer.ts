import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { SeineError } from '../core/errors.ts';
import { BackgroundPace } from './backgroundPace.ts';
import type { OpenModelOptions, PairReading, Scored, TextHeads, TextReading } from './contracts.ts';
import type {
  CallContext,
  HeadArguments,
  PairArguments,
  PairScorerInfo,
  ScoreArguments,
} from './inferenceProtocol.ts';
import { openPairClassifier } from './pairClassifier.ts';
import type { DocumentPart, PairModel } from './pairModel.ts';
import { PROMPT_FILE } from './prompt.ts';
import { openPromptedModel } from './promptedModel.ts';
import { readingOf } from './readingOf.ts';
import type { ModelFiles } from './resolveModel.ts';
import { type PartIds, readJson } from './tokenizer.ts';

/** The ranker's part in the worker thread. */
export interface PairScorer {
  readonly info: PairScorerInfo;
  score(args: ScoreArguments, context: CallContext): Promise<Scored>;
  readPair(args: PairArguments): Promise<PairReading>;
  heads(args: HeadArguments, context: CallContext): Promise<TextHeads>;
  release(): Promise<void>;
}

/** Opens a sequence classification model, or a language model that is asked by a prompt. */
export async function openPairScorer(files: ModelFiles, options: OpenModelOptions): Promise<PairScorer> {
  const extras = files.files['seine.json'];
  const blend = extras === undefined ? undefined : (await readJson(extras)).blend;
  if (blend !== undefined && (typeof blend !== 'number' || !(blend >= 0 && blend <= 1))) {
    throw new SeineError('ERR_MODEL', `${extras} should give blend as a number from 0 to 1: correct it.`);
  }
  if (PROMPT_FILE in files.files && options.objective !== undefined) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `objective is for cross-encoders that have several, but ${files.name} is a language model: leave it out.`,
    );
  }
  const open = PROMPT_FILE in files.files ? openPromptedModel : openPairClassifier;
  const model = await open(files, options);
  return scorerOf(model, { maxTokens: model.maxTokens, blend });
}

function scorerOf(model: PairModel, info: PairScorerInfo): PairScorer {
  const { tokenizer, chunk } = model;
  const documents = { part: model.readDocument };
  const pace = new BackgroundPace(model.batchTokens);
  const score = async (
    { query, documents, background, deadline }: ScoreArguments,
    context: CallContext,
  ): Promise<Scored> => {
    const budget = background ? () => pace.tokens : model.batchTokens;
    const begun = await model.begin(query);
    const result: Scored = {
      scores: new Float32Array(documents.length),
      scored: 0,
      truncated: new Uint8Array(documents.length),
      queryTruncated: begun.truncated,
    };
    while (result.scored < documents.length && !isPast(deadline)) {
      const start = result.scored;
      const parts: DocumentPart[] = [];
      let tokens = 0;
      for (const document of documents.slice(start)) {
        const isFull = parts.length === chunk.documents || tokens >= chunk.tokens;
        if (deadline !== undefined && isFull) break;
        const part =
          typeof document === 'string'
            ? model.readDocument(document, begun.room)
            : model.readVectors(document, begun.room);
        parts.push(part);
        tokens += part.ids.length;
      }
      if (background) await pace.turn();
      if (context.aborted()) return result;
      let began = performance.now();
      for await (const batch of begun.score(parts, budget)) {
        for (const [i, place] of batch.places.entries()) result.scores[start + place] = batch.scores[i]!;
        if (background) {
          pace.observe(batch.tokens, performance.now() - began);
          await pace.turn();
          began = performance.now();
        }
        if (context.aborted()) return result;
      }
      result.scored += parts.length;
      result.truncated.set(
        parts.map(({ truncated }) => Number(truncated)),
        start,
      );
    }
    return result;
  };
  return {
    info,
    score: (args, context) =>
      args.background ? score(args, context) : pace.first(() => score(args, context)),
    async readPair({ query, document }) {
      const { room } = await model.begin(query);
      return {
        query: await readingOf(query, model.readQuery, tokenizer),
        document: await readingOf(document, (text) => model.readDocument(text, room), documents),
      };
    },
    async heads({ texts, maxTokens, deadline }, context) {
      const read = (text: string): PartIds => model.readDocument(text, Math.min(maxTokens, model.limit));
      const readings: TextReading[] = [];
      for (const text of texts) {
        if (context.aborted() || isPast(deadline)) break;
        readings.push(await readingOf(text, read, documents));
        await setImmediate();
      }
      return {
        texts: readings.map(({ end }, i) => texts[i]!.slice(0, end)),
        tokens: Uint32Array.from(readings, ({ kept }) => kept),
      };
    },
    release: () => model.release(),
  };
}

/** Whether a deadline, in milliseconds since 1970, has passed. */
function isPast(deadline: number | undefined): boolean {
  return deadline !== undefined && performance.timeOrigin + performance.now() > deadline;
}
