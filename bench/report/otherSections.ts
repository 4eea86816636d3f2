import { lineChart } from '../../ts/report/charts.ts';
import { figures, paragraph, section, table } from '../../ts/report/html.ts';
import type { AppendResult, CallersResult, OpenResult } from './results.ts';

const numeric = (titles: string[]) => titles.map((title, i) => ({ title, numeric: i > 0 }));

/** Queries a second by batches and by callers. */
export function callersSection({ note, call, throughput, eventLoop }: CallersResult): string {
  const line = (of: CallersResult['throughput']['batches']): [number, number][] =>
    Object.entries(of)
      .map(([size, { median }]): [number, number] => [Number(size), median])
      .filter(([size]) => size <= 64);
  return section(
    'Callers',
    paragraph(note) +
      figures([
        { label: '32 callers, of the best batch', value: String(throughput.ofBestBatch.median) },
        { label: `search of ${call.rows} rows`, value: `${call.microseconds.search} µs` },
        {
          label: 'event loop late, P99',
          value: `${eventLoop.scanning.p99} ms`,
          note: `idle: ${eventLoop.idle.p99} ms`,
        },
      ]) +
      lineChart(
        `Queries a second over ${throughput.rows} rows`,
        [
          { name: 'callers with a query each', tone: 'run', points: line(throughput.callers) },
          { name: 'batches of one caller', tone: 'other', points: line(throughput.batches) },
        ],
        'callers, or queries of a batch',
        'queries a second',
      ),
  );
}

export function appendSection({ note, cases }: AppendResult): string {
  const rows = cases.map(({ chunk, median, ratio }) =>
    [chunk, median.seine!.ms, ratio.copy!.median].map(String),
  );
  return section('Append', paragraph(note) + table(numeric(['rows of a chunk', 'ms', 'copy ×']), rows));
}

export function openSection({ note, documents, bytes, median, ratio }: OpenResult): string {
  const rows = Object.entries(median).map(([name, { ms }]) => [
    name,
    String(ms),
    String(ratio[name]?.median ?? 1),
  ]);
  return section(
    'Open',
    paragraph(`${note} ${documents} documents, ${bytes} bytes.`) +
      table(numeric(['', 'ms', 'of reading all bytes']), rows),
  );
}
