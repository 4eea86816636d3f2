import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { openCheckpoint } from '../../ts/graph/checkpoint.ts';
import { type Head, writeTransformer } from '../../ts/graph/writeTransformer.ts';
import { openSession, type Tensor } from '../../ts/models/session.ts';

const fixtures = fileURLToPath(new URL('fixtures/', import.meta.url));
const folderOf = (name: string): string => `${fixtures}${name}`;

interface Fixture {
  ids: number[][];
  mask: number[][];
  types: number[][];
  /** What `transformers` made of them (fixtures/makeFamilies.py); 0 for padding. */
  expected: Record<string, { states: number[]; logits: number[] | null }>;
}
const fixture: Fixture = JSON.parse(readFileSync(`${fixtures}families.json`, 'utf8'));
const names = Object.keys(fixture.expected);

function int64(rows: number[][]): Tensor {
  return {
    type: 'int64',
    dims: [rows.length, rows[0]!.length],
    data: BigInt64Array.from(rows.flat(), BigInt),
  };
}

/** The one output of the graph of a fixture. */
async function run(name: string, head: Head, rows = [0, 1]): Promise<Float32Array> {
  const { onnx, externalFolder } = writeTransformer(openCheckpoint(folderOf(name)), head);
  const session = await openSession(onnx, { externalFolder });
  try {
    const pick = (all: number[][]) => int64(rows.map((row) => all[row]!));
    const feeds = { input_ids: pick(fixture.ids), attention_mask: pick(fixture.mask) };
    const types = session.inputs.some((input) => input.name === 'token_type_ids');
    const outputs = await session.run(types ? { ...feeds, token_type_ids: pick(fixture.types) } : feeds);
    return Object.values(outputs)[0]!.data as Float32Array;
  } finally {
    await session.release();
  }
}

/** Sets the values of padding to 0, `[2, 10, dim]`. */
function withoutPadding(values: Float32Array): Float32Array {
  const mask = fixture.mask.flat();
  const dim = values.length / mask.length;
  return values.map((value, i) => (mask[Math.floor(i / dim)] === 1 ? value : 0));
}

function expectClose(got: Float32Array, wanted: readonly number[], tolerance = 1e-5): void {
  expect(got.length).toBe(wanted.length);
  const worst = got.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i]!)), 0);
  expect(worst).toBeLessThan(tolerance * Math.max(1, ...wanted.map(Math.abs)));
}

describe('a graph written from a checkpoint', () => {
  test.each(names)('%s: hidden states are those of transformers', async (name) => {
    expectClose(withoutPadding(await run(name, { kind: 'states' })), fixture.expected[name]!.states);
  });

  test.each(names.filter((name) => fixture.expected[name]!.logits !== null))(
    '%s: logits are those of transformers',
    async (name) => {
      const logits = fixture.expected[name]!.logits!;
      const language = logits.length > 10;
      const got = await run(name, { kind: language ? 'language' : 'classifier' });
      expectClose(language ? withoutPadding(got) : got, logits);
    },
  );
});
