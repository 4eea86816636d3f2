// hnswlib's brute force: one thread, one query at a time.
import { answerLines, load, versionOf } from './answerLines.mjs';

const { BruteforceSearch } = load('hnswlib-node');

const vector = (values, at, dim) => Array.from(values.subarray(at * dim, (at + 1) * dim));

await answerLines(
  'hnswlib',
  versionOf('hnswlib-node'),
  { metrics: ['ip', 'cosine', 'l2'], batches: [1, 8] },
  1,
  (rows, count, dim, metric) => {
    const index = new BruteforceSearch(metric, dim);
    index.initIndex(count);
    for (let row = 0; row < count; row++) index.addPoint(vector(rows, row, dim), row);
    return (queries, q, k) =>
      Array.from(
        { length: q },
        (_, query) => index.searchKnn(vector(queries, query, dim), k).neighbors,
      ).flat();
  },
);
