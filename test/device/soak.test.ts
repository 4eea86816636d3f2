import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import type { Attributes, AttributeType, FilterExpression } from '../../ts/core/types.ts';
import { devices } from '../helpers/devices.ts';
import { EFFORT, SEED } from '../helpers/effort.ts';
import { naiveSearch } from '../helpers/naiveSearch.ts';

const DIM = 8;
const MOST_ROWS = 600;
/** On the fastest device that is everywhere, and on the others, which share the code in front of it. */
const ASKED = Number(process.env.SEINE_OPERATIONS ?? 0);
const OPERATIONS = ASKED || (EFFORT > 1 ? 100_000 : 40_000);
const FEW_OPERATIONS = ASKED || (EFFORT > 1 ? 20_000 : 2000);

/** Bytes of private memory that the process holds or has reserved; unknown but on Linux. */
function privateBytes(): number {
  if (process.platform !== 'linux') return 0;
  return 1024 * Number(/^VmData:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
}

/** More than what a heap of JavaScript may grow by, less than what any part of each compaction takes. */
const MOST_GROWTH = 2 ** 29;

const TYPES: Record<string, AttributeType> = { level: 'number', word: 'keyword', tags: 'set' };

interface ModelRow {
  vector: number[];
  attributes: Attributes;
}

/** Filters of few and many rows, with what they mean of a row's attributes. */
const CONDITIONS: [FilterExpression, (attributes: Attributes) => boolean][] = [
  [{ gte: ['level', 2 ** 24 + 1] }, ({ level }) => level !== null && Number(level) > 2 ** 24],
  [{ not: { eq: ['word', 'word 3'] } }, ({ word }) => word !== 'word 3'],
  [
    { and: [{ in: ['tags', ['a', 'none']] }, { or: [{ exists: 'level' }, { eq: ['word', 'word 7'] }] }] },
    ({ tags, level, word }) => (tags as string[]).includes('a') && (level !== null || word === 'word 7'),
  ],
];

/** Rows as a list of values by id, with what was removed. */
class Model {
  rows: (ModelRow | undefined)[] = [];

  get live(): number[] {
    return this.rows.flatMap((row, id) => (row === undefined ? [] : [id]));
  }

  search(
    query: Float32Array,
    k: number,
    passes: (attributes: Attributes) => boolean,
  ): { ids: number[]; scores: number[]; counts: number[] } {
    const values = this.rows.flatMap((row) => row?.vector ?? new Array<number>(DIM).fill(0));
    return naiveSearch(values, query, DIM, 'cosine', k, (id) => {
      const row = this.rows[id];
      return row !== undefined && passes(row.attributes);
    });
  }
}

describe.each(devices)('$label', ({ label, open }) => {
  test(
    `random appends, removals, compactions and filtered searches leave equal answers and flat memory (seed ${SEED})`,
    async () => {
      const source = random(SEED);
      const below = (limit: number): number => Math.floor(source.next() * limit);
      const vector = (): number[] => Array.from({ length: DIM }, () => Math.fround(source.normal()));
      // Words come and go, so that a dictionary that only grew would be seen.
      const attributes = (i: number): Attributes => ({
        level: below(3) === 0 ? null : 2 ** 24 + below(3),
        word: below(2) === 0 ? `word ${below(9)}` : `word of ${i}`,
        tags: ['a', 'b', 'c'].filter(() => below(2) === 0),
      });
      await using device = await open();
      await using rows = await device.upload(new Float32Array(), {
        dim: DIM,
        metric: 'cosine',
        dtype: 'f32',
        attributes: TYPES,
      });
      const model = new Model();
      let mostBytes = 0;
      const operations = label === 'cpu' ? OPERATIONS : FEW_OPERATIONS;
      let halfway = 0;
      for (let i = 0; i < operations; i++) {
        if (i === operations / 2) halfway = privateBytes();
        const draw = source.next();
        if (draw < 0.45 && model.rows.length < MOST_ROWS) {
          const added = Array.from({ length: 1 + below(4) }, () => ({
            vector: vector(),
            attributes: attributes(i),
          }));
          model.rows.push(...added);
          await rows.append({
            data: Float32Array.from(added.flatMap((row) => row.vector)),
            attributes: Object.fromEntries(
              Object.keys(TYPES).map((name) => [name, added.map((row) => row.attributes[name]!)]),
            ),
          });
        } else if (draw < 0.9 && model.rows.length > 0) {
          const ids = Array.from({ length: 1 + below(4) }, () => below(model.rows.length));
          const fresh = new Set(ids.filter((id) => model.rows[id] !== undefined));
          expect(await rows.remove(ids)).toBe(fresh.size);
          for (const id of fresh) model.rows[id] = undefined;
        } else if (model.rows.length >= MOST_ROWS || draw < 0.91) {
          const live = model.live;
          const { remap } = await rows.compact();
          expect(live.map((id) => remap[id])).toEqual(live.map((_, at) => at));
          model.rows = live.map((id) => model.rows[id]);
        } else {
          const query = Float32Array.from(vector());
          const k = 1 + below(20);
          const [where, passes] = CONDITIONS[below(CONDITIONS.length + 1)] ?? [undefined, () => true];
          const filter = where && { where };
          const { ids, scores, counts } = await rows.search(query, { k, filter });
          expect({ ids: [...ids], scores: [...scores], counts: [...counts] }).toEqual(
            model.search(query, k, passes),
          );
        }
        mostBytes = Math.max(mostBytes, rows.bytes);
      }
      expect(privateBytes()).toBeLessThan(halfway + MOST_GROWTH);
      expect(rows.live).toBe(model.live.length);
      await rows.compact();
      // Rows are padded to what the device reads at a time, and it keeps room for more: but never for what was removed.
      expect(rows.bytes).toBeLessThanOrEqual(mostBytes);
      expect(mostBytes).toBeLessThan(2 ** 20);
    },
    ASKED > 0 ? 3_600_000 : 300_000 * EFFORT,
  );
});
