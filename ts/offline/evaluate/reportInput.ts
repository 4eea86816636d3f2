import type { Qrels, Run } from '../../core/types.ts';
import type { Interval } from './bootstrap.ts';
import type { Comparison } from './compare.ts';
import type { Evaluation } from './evaluate.ts';

/** What lists of queries are made of. */
export interface ReportQueries {
  ranking: Run;
  qrels: Qrels;
  /** Query id -> text, where there are texts. */
  texts?: Map<string, string> | undefined;
}

export interface ReportInput extends ReportQueries {
  /** Path of the run, as the reader knows it. */
  run: string;
  qrelsPath: string;
  evaluation: Evaluation;
  /** Metric -> interval of its mean. */
  intervals: Record<string, Interval>;
  against?: AgainstInput | undefined;
  /** What made the report: shown as it is. */
  command: string;
  versions: string;
}

export interface AgainstInput {
  path: string;
  evaluation: Evaluation;
  intervals: Record<string, Interval>;
  comparison: Comparison;
}
