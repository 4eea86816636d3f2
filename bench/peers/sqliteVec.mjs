// sqlite-vec: a virtual table of SQLite, scanned by one thread, one query at a time.
import { answerLines, load, versionOf } from './answerLines.mjs';

const Database = load('better-sqlite3');
const METRICS = { cosine: 'cosine', l2: 'l2' };

const blob = (values, at, dim) => Buffer.from(values.slice(at * dim, (at + 1) * dim).buffer);

await answerLines(
  'sqliteVec',
  versionOf('sqlite-vec'),
  { metrics: Object.keys(METRICS), batches: [1, 8] },
  1,
  (rows, count, dim, metric) => {
    const database = new Database(':memory:');
    load('sqlite-vec').load(database);
    database.exec(
      `CREATE VIRTUAL TABLE rows USING vec0(vector float[${dim}] distance_metric=${METRICS[metric]})`,
    );
    const insert = database.prepare('INSERT INTO rows(rowid, vector) VALUES (?, ?)');
    database.transaction(() => {
      for (let row = 0; row < count; row++) insert.run(BigInt(row), blob(rows, row, dim));
    })();
    const nearest = database
      .prepare('SELECT rowid FROM rows WHERE vector MATCH ? AND k = ? ORDER BY distance')
      .pluck();
    return (queries, q, k) =>
      Array.from({ length: q }, (_, query) => nearest.all(blob(queries, query, dim), k)).flat();
  },
);
