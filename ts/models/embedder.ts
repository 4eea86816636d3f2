import { setImmediate } from 'node:timers/promises';
import { SeineError } from '../core/errors.ts';
import { BackgroundPace } from './backgroundPace.ts';
import { batches } from './batches.ts';
import type { Encoded, OpenModelOptions, TextReading, TextWindow } from './contracts.ts';
import type {
  CallContext,
  EmbedderInfo,
  EncodeArguments,
  ReadArguments,
  WindowArguments,
} from './inferenceProtocol.ts';
import { normalize, pool } from './pooling.ts';
import { readingOf } from './readingOf.ts';
import type { ModelFiles } from './resolveModel.ts';
import { readModules, readPooling, readPrompts } from './sentenceModules.ts';
import { requireFinite, type TensorInfo } from './session.ts';
import { openTextGraph } from './textGraph.ts';
import { type PartIds, readJson, type TokenIds } from './tokenizer.ts';
import { windows } from './windows.ts';

/** The encoder's part in the worker thread. */
export interface Embedder {
  readonly info: EmbedderInfo;
  encode(args: EncodeArguments, context: CallContext): Promise<Encoded>;
  windows(args: WindowArguments): Promise<TextWindow[]>;
  read(args: ReadArguments): Promise<TextReading[]>;
  release(): Promise<void>;
}

/** Tokens of a batch, padding included: large enough for full speed, small enough that a query need not wait long. */
const BATCH_TOKENS = 4096;
/** Milliseconds of tokenising after which other calls get a turn. */
const TURN_MS = 5;

/**
 * Opens a model of the sentence-transformers layout. A graph with an output `sentence_embedding` `[batch, dim]` has its
 * pooling inside; otherwise the token vectors are pooled as `1_Pooling/config.json` says, by their mean if the model
 * has no `modules.json`. Vectors are normalised if `modules.json` lists a Normalize module.
 */
export async function openEmbedder(files: ModelFiles, options: OpenModelOptions): Promise<Embedder> {
  const modules = await readModules(files);
  const prompts = await readPrompts(files);
  const graph = await openTextGraph(files, options);
  try {
    const output = chooseOutput(graph.session.outputs, files);
    const pooled = output.dims.length === 2;
    const pooling = pooled ? undefined : await readPooling(files, modules);
    const normalized = modules?.includes('Normalize') ?? false;

    /** Vectors of one batch, written to their places in `vectors`. */
    const run = async (batch: readonly TokenIds[], places: readonly number[], vectors: Vectors) => {
      const { data, dims, sequence } = await graph.run(batch, output.name);
      const dim = dims.at(-1)!;
      vectors.data ??= new Float32Array(vectors.rows * dim);
      for (let row = 0; row < batch.length; row++) {
        const vector = vectors.data.subarray(places[row]! * dim, (places[row]! + 1) * dim);
        if (pooling === undefined) vector.set(data.subarray(row * dim, (row + 1) * dim));
        else pool(data, row, sequence, batch[row]!.ids.length, pooling, vector);
        requireFinite(vector, `A vector of the model ${files.name}`);
        if (normalized) normalize(vector);
      }
    };

    // One text through the whole model: what does not fit shows now and not in the middle of a long ingest.
    const probe: Vectors = { rows: 1, data: undefined };
    await run([graph.tokenizer.single('x', graph.maxTokens)], [0], probe);
    const info: EmbedderInfo = {
      dim: probe.data!.length,
      matryoshka: await readMatryoshka(files),
      maxTokens: graph.maxTokens,
    };

    const pace = new BackgroundPace(BATCH_TOKENS);

    const encode = async (
      { texts, kind, background }: EncodeArguments,
      context: CallContext,
    ): Promise<Encoded> => {
      const prompt = prompts[kind];
      const tokens: TokenIds[] = [];
      let turn = performance.now();
      for (const text of texts) {
        if (performance.now() - turn > TURN_MS) {
          await setImmediate();
          turn = performance.now();
        }
        if (context.aborted()) break;
        tokens.push(graph.tokenizer.single(prompt + text, graph.maxTokens));
      }
      const vectors: Vectors = { rows: texts.length, data: undefined };
      const done = { texts: 0, tokens: 0 };
      const lengths = tokens.map(({ ids }) => ids.length);
      for (const places of batches(lengths, background ? () => pace.tokens : BATCH_TOKENS)) {
        if (background) await pace.turn();
        if (context.aborted()) break;
        const batch = places.map((place) => tokens[place]!);
        const started = performance.now();
        await run(batch, places, vectors);
        if (background) pace.observe(batch.length * batch[0]!.ids.length, performance.now() - started);
        done.texts += batch.length;
        for (const { ids } of batch) done.tokens += ids.length;
        context.progress(done);
      }
      const truncatedTexts = [...tokens.keys()].filter((i) => tokens[i]!.truncated);
      return {
        vectors: vectors.data ?? new Float32Array(0),
        tokens: done.tokens,
        truncated: truncatedTexts.length,
        truncatedTexts,
      };
    };

    return {
      info,
      encode: (args, context) =>
        args.background ? encode(args, context) : pace.first(() => encode(args, context)),
      async windows({ text, maxTokens, overlap }) {
        const prompt = graph.tokenizer.part(prompts.document, maxTokens).ids.length;
        const budget = Math.max(1, maxTokens - graph.tokenizer.specials.single - prompt);
        return windows(text, graph.tokenizer, budget, overlap);
      },
      async read({ texts, kind }) {
        const prompt = prompts[kind];
        const limit = graph.maxTokens - graph.tokenizer.specials.single;
        const read = (text: string): PartIds => graph.tokenizer.part(text, limit);
        const readings: TextReading[] = [];
        for (const text of texts) {
          const reading = await readingOf(prompt + text, read, graph.tokenizer);
          readings.push({ ...reading, end: Math.max(0, reading.end - prompt.length) });
        }
        return readings;
      },
      release: () => graph.release(),
    };
  } catch (error) {
    await graph.release();
    throw error;
  }
}

interface Vectors {
  rows: number;
  data: Float32Array | undefined;
}

function chooseOutput(outputs: readonly TensorInfo[], files: ModelFiles): TensorInfo {
  const ranks = { sentence_embedding: 2, last_hidden_state: 3, token_embeddings: 3 };
  for (const [name, rank] of Object.entries(ranks)) {
    const output = outputs.find((candidate) => candidate.name === name && candidate.dims.length === rank);
    if (output !== undefined) return output;
  }
  const described = outputs.map(({ name, dims }) => `${name} [${dims.join(', ')}]`).join(', ');
  throw new SeineError(
    'ERR_MODEL',
    `The encoder ${files.name} should have an output sentence_embedding [batch, dim] or last_hidden_state ` +
      `[batch, sequence, dim], but has ${described}: it is no embedding model, or export it for feature extraction.`,
  );
}

async function readMatryoshka(files: ModelFiles): Promise<number[] | boolean> {
  const path = files.files['config.json'];
  const config = path === undefined ? {} : await readJson(path);
  const { matryoshka_dimensions: lengths, is_matryoshka: any } = config;
  if (Array.isArray(lengths)) return lengths.filter((length) => Number.isInteger(length));
  return any === true;
}
