// USearch's exact search, which scans all vectors.
import { answerLines, load, THREADS, versionOf } from './answerLines.mjs';

const { exactSearch, MetricKind } = load('usearch');
const METRICS = { ip: MetricKind.IP, cosine: MetricKind.Cos, l2: MetricKind.L2sq };

await answerLines(
  'usearch',
  versionOf('usearch'),
  { metrics: Object.keys(METRICS), batches: [1, 8, 64, 256] },
  THREADS,
  (rows, _count, dim, metric) => (queries, _q, k) =>
    exactSearch(rows, queries, dim, k, METRICS[metric], THREADS).keys,
);
