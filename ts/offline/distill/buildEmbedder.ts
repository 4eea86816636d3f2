import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { random } from '../../core/random.ts';
import { quantizeRows } from '../../graph/quantize.ts';
import { readSafetensors, writeSafetensors } from '../../graph/safetensors.ts';
import { staticEmbedder } from '../../graph/staticEmbedder.ts';
import { openEncoder } from '../../models/encoder.ts';
import { openTokenizer } from '../../models/tokenizer.ts';
import { readItems } from './collection.ts';
import { type RefineOptions, refineTable } from './refineTable.ts';
import { type StaticTable, staticTable } from './staticTable.ts';
import { tokenFrequencies } from './tokenFrequencies.ts';
import { tokenVectors } from './tokenVectors.ts';
import { readWordnet } from './wordnet.ts';
import { synsetText } from './wordnetQueries.ts';
import { writeModel } from './writeModel.ts';

/** How a static embedder is made; paths are relative to the repository's root. */
export interface EmbedderRecipe {
  name: string;
  /** Directory of the sentence encoder that it is distilled from. */
  teacher: string;
  dim: number;
  /** Of the inverse-frequency weights. */
  smoothing: number;
  /** Tokens of a text that the finished model reads. */
  maxTokens: number;
  corpus: string;
  /** Training queries. */
  queries: string;
  wordnet: string;
  /** Texts that the teacher encodes, by source, and how the table is fitted to its vectors. */
  refine: RefineOptions & {
    seed: number;
    postings: number;
    postingTokens: number;
    queries: number;
    synsets: number;
  };
}

export interface BuildOptions {
  recipe: EmbedderRecipe;
  /** Directory for the teacher's outputs, which are kept. */
  work: string;
  /** Directory that the model is written to. */
  output: string;
  /** Text of the model card. */
  card: string;
  onMessage: (message: string) => void;
}

/** Makes a static embedder from a sentence encoder and writes it as a model directory. */
export async function buildEmbedder({ recipe, work, output, card, onMessage }: BuildOptions): Promise<void> {
  await mkdir(work, { recursive: true });
  const { teacher } = recipe;
  const tokenizer = await openTokenizer(
    join(teacher, 'tokenizer.json'),
    join(teacher, 'tokenizer_config.json'),
  );
  const { added_tokens: added, model } = JSON.parse(
    await readFile(join(teacher, 'tokenizer.json'), 'utf8'),
  ) as {
    added_tokens: { id: number }[];
    model: { vocab: Record<string, number> };
  };
  const special = new Set(added.map(({ id }) => id));
  const names = new Map(Object.entries(model.vocab).map(([name, id]) => [id, name]));
  const used = (id: number): boolean =>
    !special.has(id) && !/^\[unused\d+\]$/.test(names.get(id) ?? '[unused0]');

  const documents = (await readItems(recipe.corpus)).map(({ text }) => text);
  const synsets = (await readWordnet(recipe.wordnet)).map(synsetText);
  const queries = (await readItems(recipe.queries)).map(({ text }) => text);
  onMessage('counting tokens');
  const frequencies = tokenFrequencies(tokenizer, [documents, synsets]);
  onMessage('encoding every token');
  const vectors = await cached(join(work, 'token-vectors.safetensors'), async () => {
    const graph = join(
      teacher,
      existsSync(join(teacher, 'onnx/model.onnx')) ? 'onnx/model.onnx' : 'model.onnx',
    );
    const around = { cls: model.vocab['[CLS]']!, sep: model.vocab['[SEP]']! };
    return (await tokenVectors(graph, { size: tokenizer.size, ...around })).vectors;
  });
  onMessage('principal axes');
  const table = staticTable(vectors, frequencies, used, recipe);

  onMessage('encoding texts with the teacher');
  const texts = teacherTexts(recipe, documents, queries, synsets);
  const taught = await cached(join(work, `teacher-${texts.length}.safetensors`), async () => {
    const encoder = await openEncoder(teacher, { maxTokens: recipe.refine.postingTokens });
    const encoded = await encoder.encode(texts, { kind: 'document' });
    await encoder.close();
    return encoded.vectors;
  });
  onMessage('fitting the table');
  const ids = texts.map(
    (text) => tokenizer.part(text, recipe.refine.postingTokens - tokenizer.specials.single).ids,
  );
  const rows = refineTable(table, ids, project(taught, table), recipe.refine);
  await writeModel(
    output,
    {
      'onnx/model.onnx': staticEmbedder(quantizeRows(rows, recipe.dim)),
      'config.json': {
        model_type: 'static-embedding',
        hidden_size: recipe.dim,
        vocab_size: tokenizer.size,
        pad_token_id: tokenizer.padId,
      },
      'sentence_bert_config.json': { max_seq_length: recipe.maxTokens, do_lower_case: false },
      'README.md': card,
    },
    { tokenizerFrom: teacher, maxTokens: recipe.maxTokens },
  );
  onMessage(`wrote ${output}`);
}

/** Heads of postings, training queries and synsets, drawn at random. */
function teacherTexts(
  { refine }: EmbedderRecipe,
  documents: readonly string[],
  queries: readonly string[],
  synsets: readonly string[],
): string[] {
  const generator = random(refine.seed);
  const draw = (texts: readonly string[], count: number): string[] =>
    generator.shuffle([...texts]).slice(0, count);
  return [
    ...draw(documents, refine.postings),
    ...draw(queries, refine.queries),
    ...draw(synsets, refine.synsets),
  ];
}

/** The teacher's vectors in the table's space, each of length 1 there. */
function project(taught: Float32Array, { axes, dim }: StaticTable): Float32Array {
  const from = axes.length / dim;
  const count = taught.length / from;
  const mean = new Float64Array(from);
  for (let i = 0; i < taught.length; i++) mean[i % from]! += taught[i]! / count;
  const out = new Float32Array(count * dim);
  for (let text = 0; text < count; text++) {
    let square = 0;
    for (let d = 0; d < dim; d++) {
      let sum = 0;
      for (let i = 0; i < from; i++) sum += axes[d * from + i]! * (taught[text * from + i]! - mean[i]!);
      out[text * dim + d] = sum;
      square += sum * sum;
    }
    for (let d = 0; d < dim; d++) out[text * dim + d]! /= Math.sqrt(square) || 1;
  }
  return out;
}

async function cached(path: string, make: () => Promise<Float32Array>): Promise<Float32Array> {
  if (existsSync(path)) return (await readSafetensors(path)).tensors.get('data')!.data;
  const data = await make();
  await writeSafetensors(path, new Map([['data', { shape: [data.length], data }]]));
  return data;
}

/** Reads the recipe of an embedder. */
export async function readEmbedderRecipe(path: string): Promise<EmbedderRecipe> {
  return JSON.parse(await readFile(path, 'utf8'));
}
