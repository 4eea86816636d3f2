// LanceDB without an index, which scans all rows of a table on disk; it takes one query at a time.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answerLines, load, THREADS, versionOf } from './answerLines.mjs';

const { connect } = load('@lancedb/lancedb');
const METRICS = { ip: 'dot', cosine: 'cosine', l2: 'l2' };
const AT_ONCE = 10_000;

const folder = mkdtempSync(join(tmpdir(), 'seine-lancedb-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const vector = (values, at, dim) => Array.from(values.subarray(at * dim, (at + 1) * dim));

await answerLines(
  'lancedb',
  versionOf('@lancedb/lancedb'),
  { metrics: Object.keys(METRICS), batches: [1, 8] },
  THREADS,
  async (rows, count, dim, metric) => {
    const database = await connect(folder);
    let table;
    for (let first = 0; first < count; first += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, i) => ({
        id: first + i,
        vector: vector(rows, first + i, dim),
      }));
      if (table === undefined) table = await database.createTable('rows', some, { mode: 'overwrite' });
      else await table.add(some);
    }
    await table.optimize();
    const one = async (values, k) => {
      const query = table.query().nearestTo(values).distanceType(METRICS[metric]).select(['id']);
      return (await query.limit(k).toArray()).map(({ id }) => id);
    };
    return async (queries, q, k) => {
      const all = Array.from({ length: q }, (_, query) => one(vector(queries, query, dim), k));
      return (await Promise.all(all)).flat();
    };
  },
);
