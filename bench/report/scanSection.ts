import { lineChart } from '../../ts/report/charts.ts';
import { escapeHtml, section, table } from '../../ts/report/html.ts';
import type { FormCase } from '../scan/forms.ts';
import type { ManyBest } from '../scan/manyBest.ts';
import type { Measured } from '../scan/measure.ts';
import type { ScanResult } from './results.ts';

/** Time against the batch and the number of rows, and every case as a table. */
export function scanSection(result: ScanResult): string {
  const { note, cases, versions, forms = [], manyBest = [] } = result;
  const growing = cases.filter(({ data }) => data.endsWith('growth')).sort((a, b) => a.rows - b.rows);
  return section(
    `Scan (${versions.isa})`,
    `<p>${escapeHtml(note)}</p>${batchChart(cases)}${growing.length > 1 ? growthChart(growing) : ''}${ratios(cases)}${formTable(forms)}${manyTable(manyBest)}`,
  );
}

function batchChart(cases: Measured[]): string {
  const { data, metric } = cases[0]!;
  const shown = cases.filter((one) => one.data === data && one.metric === metric);
  const line = (engine: string): [number, number][] =>
    shown.flatMap(({ batch, median }) => (median[engine] === undefined ? [] : [[batch, median[engine].ms]]));
  return lineChart(
    `Time against the batch: ${data}, ${metric}`,
    [
      { name: 'certified scan', tone: 'run', points: line('certified') },
      { name: 'FAISS', tone: 'other', points: line('faiss') },
    ],
    'queries of a batch',
    'ms',
  );
}

/** The other line is that of the best rate at which one of the scans was seen to read this much. */
function growthChart(cases: Measured[]): string {
  const { dim } = cases[0]!;
  const largest = cases.filter(({ rows }) => rows >= 1e6);
  const perMs = (bytes: number, engine: string) =>
    largest.map(({ rows, median }) => (rows * bytes) / median[engine]!.ms);
  // Beside the codes of a row lie its scale, its error and its length.
  const codes = dim + 12;
  const rate = Math.max(...perMs(codes, 'certified'), ...perMs(dim * 4, 'plain'));
  return lineChart(
    `Time against the number of rows: ${dim} dimensions, one query; bytes at ${(rate / 1e6).toFixed(0)} GB/s`,
    [
      {
        name: 'certified scan',
        tone: 'run',
        points: cases.map(({ rows, median }) => [rows / 1000, median.certified!.ms]),
      },
      {
        name: 'bytes of the codes',
        tone: 'other',
        points: cases.map(({ rows }) => [rows / 1000, (rows * codes) / rate]),
      },
    ],
    'thousand rows',
    'ms',
  );
}

function ratios(cases: Measured[]): string {
  const engines = [...new Set(cases.flatMap(({ ratio }) => Object.keys(ratio)))];
  const numeric = ['batch', 'ms', ...engines.map((name) => `${name} ×`), 'rows read in full', 'memory ×'];
  return table(
    [{ title: 'data' }, { title: 'metric' }, ...numeric.map((title) => ({ title, numeric: true }))],
    cases.map(({ data, metric, batch, median, ratio, scored, bytesShare }) => [
      data,
      metric,
      String(batch),
      String(median.certified!.ms),
      ...engines.map((name) => {
        const one = ratio[name];
        return one === undefined ? '' : `${one.median} [${one.least}, ${one.most}]`;
      }),
      String(scored),
      String(bytesShare ?? ''),
    ]),
  );
}

/** Scans without codes: the ratio of `reading` is the share of the memory's bound. */
function formTable(cases: FormCase[]): string {
  if (cases.length === 0) return '';
  const titles = ['batch', 'ms of the plain scan', 'GB/s', 'reading ×', 'sgemm ×'];
  return table(
    [{ title: 'form' }, ...titles.map((title) => ({ title, numeric: true }))],
    cases.map(({ dtype, batch, median, ratio, gigabytesPerSecond }) => [
      dtype,
      String(batch),
      String(median.scan!.ms),
      String(gigabytesPerSecond),
      ...['reading', 'sgemm'].map((name) => String(ratio[name]?.median ?? '')),
    ]),
  );
}

function manyTable(cases: ManyBest[]): string {
  if (cases.length === 0) return '';
  const titles = ['batch', 'ms for 10', 'ms for 1,000', '×', 'rows read in full'];
  return table(
    [{ title: 'data' }, ...titles.map((title) => ({ title, numeric: true }))],
    cases.map(({ data, batch, median, ratio, scored }) => [
      data,
      ...[batch, median.ten!.ms, median.thousand!.ms, ratio.thousand!.median, scored].map(String),
    ]),
  );
}
