import { lineChart } from '../../ts/report/charts.ts';
import { paragraph, section, table } from '../../ts/report/html.ts';
import type { EncodeResult, RankResult } from './results.ts';

const COLUMNS = ['texts', 'engine', 'a second', 'time, in turns', 'of the processors', 'largest difference'];
const titles = COLUMNS.map((title, i) => ({ title, numeric: i > 1 }));

type Measured = (EncodeResult['cases'] | RankResult['cases'])[number];

/** A line an engine: what it does a second, and how many times as long it took as the first. */
function lines(of: Measured, label: string, perSecond: Record<string, number>): string[][] {
  return Object.entries(perSecond).map(([engine, rate]) => [
    label,
    engine,
    String(rate),
    String(of.ratio[engine]?.median ?? 1),
    String(of.cpuRatio[engine]?.median ?? 1),
    String(of.differences[engine] ?? '–'),
  ]);
}

/** Tokens a second of embedders. */
export function encodeSection({ note, cases }: EncodeResult): string {
  const rows = cases.flatMap((one) => lines(one, `${one.texts} ${one.form}`, one.tokensPerSecond));
  return section('Encode: tokens a second', paragraph(note) + table(titles, rows));
}

/** Items a second of rankers, and how they grow with the items of a call. */
export function rankSection({ note, cases, kneesNote, knees = [] }: RankResult): string {
  const rows = cases.flatMap((one) =>
    lines(one, `${one.model}: ${one.items} ${one.form}`, one.itemsPerSecond),
  );
  const tones = ['run', 'other', 'third'] as const;
  const charts = (['titles', 'postings'] as const).map((form) =>
    lineChart(
      `Items a second against milliseconds of a call: ${form}`,
      knees
        .filter((knee) => knee.form === form)
        .map(({ way, points }, i) => ({
          name: way,
          tone: tones[i]!,
          points: points.map(({ ms, itemsPerSecond }): [number, number] => [ms, itemsPerSecond]),
        })),
      'milliseconds of a call',
      'items a second',
    ),
  );
  const growth = kneesNote === undefined ? '' : paragraph(kneesNote) + charts.join('');
  return section('Rank: items a second', paragraph(note) + table(titles, rows) + growth);
}
