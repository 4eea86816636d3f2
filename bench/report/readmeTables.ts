import type { Measured } from '../scan/measure.ts';
import type { CallersResult, FilterResult, Results, ScanResult } from './results.ts';

const NAMES: Record<string, string> = {
  faiss: 'FAISS',
  torch: 'PyTorch',
  usearch: 'USearch',
  hnswlib: 'hnswlib',
  lancedb: 'LanceDB',
  sqliteVec: 'sqlite-vec',
};

/** The parts of README that are made from `bench/results/`, by name: what stands between its `bench:` comments. */
export function readmeTables({ scans, filter, callers }: Results): Record<string, string> {
  return {
    scan: scans.map(scanText).join('\n'),
    filter: filter === undefined ? '' : filterText(filter),
    callers: callers === undefined ? '' : callersText(callers),
  };
}

/** `text` with its parts between `<!-- bench:name -->` and `<!-- /bench:name -->` made anew. */
export function withTables(text: string, tables: Record<string, string>): string {
  return text.replaceAll(
    /(<!-- bench:(\w+) -->\n).*?(<!-- \/bench:\2 -->)/gs,
    (_, open: string, name: string, close: string) => `${open}${tables[name] ?? ''}${close}`,
  );
}

function scanText({ commit, machine, versions, cases }: ScanResult): string {
  const ip = cases.filter(({ metric }) => metric === 'ip');
  const data = [...new Set(ip.map((one) => one.data))].filter((name) => rowOf(ip, name).length > 1);
  const peers = Object.keys(NAMES).filter((name) => name !== 'faiss' && name in versions);
  const all = cases.filter(({ ratio }) => peers.some((name) => name in ratio));
  return [
    `How many times as long others took as the certified scan, for inner products and k = 10, in turns on ${machine} (${versions.isa}, at ${commit}):`,
    '',
    ...tableText(
      ['vectors', 'ms of a search: batch 1, 8, 64, 256', 'plain scan', 'FAISS', 'sgemm + select: 64, 256'],
      data.map((name) => {
        const row = rowOf(ip, name);
        const ratios = (engine: string) => row.flatMap(({ ratio }) => ratio[engine]?.median ?? []).map(short);
        return [
          `${count(row[0]!.rows)} × ${count(row[0]!.dim)} ${name.replace(/^\S*\d ?/, '') || ''}`.replace(
            / $/,
            '',
          ),
          row.map(({ median }) => short(median.certified!.ms)).join(', '),
          ...['plain', 'faiss', 'sgemm'].map((engine) => ratios(engine).join(', ')),
        ];
      }),
    ),
    '',
    `FAISS is IndexFlatIP ${versions.faiss?.split(' ')[0]}, with BLAS as soon as that pays. Other libraries on ${count(all[0]?.rows ?? 0)} × ${all[0]?.dim} vectors, scanning all of them:`,
    '',
    ...tableText(
      ['library', 'inner product: batch 1, 8, 64, 256', 'l2: batch 1, 8, 64, 256'],
      peers.map((name) => [
        `${NAMES[name]} ${versions[name]}`,
        ...['ip', 'l2'].map((metric) =>
          all
            .filter((one) => one.metric === metric)
            .map(({ ratio }) => (ratio[name] === undefined ? '–' : short(ratio[name].median)))
            .join(', '),
        ),
      ]),
    ),
    '',
  ].join('\n');
}

const rowOf = (cases: Measured[], name: string): Measured[] => cases.filter(({ data }) => data === name);

function filterText({ rows, dim, cases, machine }: FilterResult): string {
  const one = cases.filter(({ batch }) => batch === 1);
  const shares = [...new Set(one.map(({ share }) => share))];
  const at = (layout: string, share: number) => one.find((c) => c.layout === layout && c.share === share)!;
  return [
    `Milliseconds of a filtered search (batch 1, k = 10) of ${count(rows)} × ${dim} rows on ${machine}, by the share of rows that pass:`,
    '',
    ...tableText(
      ['', ...shares.map((share) => `${short(share * 100)} %`)],
      (['random', 'clustered'] as const).flatMap((layout) => [
        [`Seine, ${layout}`, ...shares.map((share) => short(at(layout, share).median.seine!.ms))],
        [
          `FAISS, ${layout}`,
          ...shares.map((share) => short(at(layout, share).median.faiss?.ms ?? Number.NaN)),
        ],
      ]),
    ),
    '',
  ].join('\n');
}

function callersText({ throughput, call, machine }: CallersResult): string {
  const { callers, ofBestBatch, rows } = throughput;
  return [
    `On ${machine}, 32 callers with a query each reach ${short(ofBestBatch.median)} of the best throughput of any batch`,
    `(${count(Math.round(callers[32]!.median))} queries a second over ${count(rows)} rows); a search of ${count(call.rows)} rows takes ${short(call.microseconds.search)} µs, call and answer`,
    'included.',
    '',
  ].join('\n');
}

function tableText(head: string[], rows: string[][]): string[] {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

/** To two figures, or three from 100 on. */
const short = (value: number): string =>
  Number.isNaN(value) ? '–' : count(Number(value.toPrecision(value >= 100 ? 3 : 2)));

const count = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 6 });
