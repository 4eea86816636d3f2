import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSession, type Session, type SessionOptions, type Tensor } from '../../ts/models/session.ts';
import { TOKENIZER, VOCAB } from './tinyModel.ts';

const fixtures = fileURLToPath(new URL('../graph/fixtures/', import.meta.url));

interface Families {
  ids: number[][];
  mask: number[][];
  types: number[][];
  /** What `transformers` made of them (test/graph/fixtures/makeFamilies.py), 0 for padding. */
  expected: Record<string, { states: number[]; logits: number[] | null }>;
}

export const families: Families = JSON.parse(readFileSync(`${fixtures}families.json`, 'utf8'));
export const familyNames = Object.keys(families.expected);

/** Copies the small model of a family into a folder and gives it a tokenizer of its 40 tokens. */
export function copyFamily(name: string, folder: string): string {
  cpSync(`${fixtures}${name}`, folder, { recursive: true });
  const vocab = Object.fromEntries([...VOCAB].filter(([, id]) => id < 40));
  const tokenizer = { ...TOKENIZER, model: { ...TOKENIZER.model, vocab } };
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ pad_token: '[PAD]' }));
  return folder;
}

/** The one output of a graph for the fixture's texts, as [text, token, dim] or [text, dim]; 0 for padding. */
export async function runOnTexts(
  graph: string | Uint8Array,
  options?: SessionOptions,
  types = families.types,
): Promise<Float32Array> {
  const session = await openSession(graph, options);
  try {
    const [output] = Object.values(await session.run(feeds(session, types)));
    const { data, dims } = output as Tensor<'float32'>;
    if (dims.length === 2) return data;
    const mask = families.mask.flat();
    return data.map((value, i) => value * mask[Math.floor(i / dims[2]!)]!);
  } finally {
    await session.release();
  }
}

function feeds(session: Session, types: number[][]): Record<string, Tensor> {
  const int64 = (rows: number[][]): Tensor => ({
    type: 'int64',
    dims: [rows.length, rows[0]!.length],
    data: BigInt64Array.from(rows.flat(), BigInt),
  });
  const all = { input_ids: families.ids, attention_mask: families.mask, token_type_ids: types };
  return Object.fromEntries(session.inputs.map(({ name }) => [name, int64(all[name as keyof typeof all])]));
}

/** Greatest difference, in units of the greatest value. */
export function disagreement(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (got.length !== wanted.length) return Number.POSITIVE_INFINITY;
  let [most, worst] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    most = Math.max(most, Math.abs(wanted[i]!));
    worst = Math.max(worst, Math.abs(got[i]! - wanted[i]!));
  }
  return worst / most;
}
