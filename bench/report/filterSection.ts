import { lineChart } from '../../ts/report/charts.ts';
import { escapeHtml, section, table } from '../../ts/report/html.ts';
import type { FilterCase, FilterResult } from './results.ts';

/** Time against the share of rows that pass. */
export function filterSection({ note, cases }: FilterResult): string {
  const chartOf = (layout: FilterCase['layout']): string => {
    const shown = cases.filter((one) => one.layout === layout && one.batch === 1);
    const line = (engine: string): [number, number][] =>
      shown.flatMap(({ share, median }) =>
        median[engine] === undefined ? [] : [[share * 100, median[engine].ms]],
      );
    return lineChart(
      `One query, ${layout} rows pass`,
      [
        { name: 'Seine', tone: 'run', points: line('seine') },
        { name: 'FAISS with a bitmap', tone: 'other', points: line('faiss') },
      ],
      '% of the rows that pass',
      'ms',
    );
  };
  const engines = [...new Set(cases.flatMap(({ ratio }) => Object.keys(ratio)))];
  const numeric = ['% passing', 'batch', 'ms', ...engines.map((name) => `${name} ×`)];
  return section(
    'Filter',
    `<p>${escapeHtml(note)}</p><div class="columns">${chartOf('random')}${chartOf('clustered')}</div>` +
      table(
        [{ title: 'layout' }, ...numeric.map((title) => ({ title, numeric: true }))],
        cases.map(({ layout, share, batch, median, ratio }) => [
          layout,
          String(Number((share * 100).toPrecision(3))),
          String(batch),
          String(median.seine!.ms),
          ...engines.map((name) => String(ratio[name]?.median ?? '')),
        ]),
      ),
  );
}
