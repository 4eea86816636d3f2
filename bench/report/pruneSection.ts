import { lineChart } from '../../ts/report/charts.ts';
import { escapeHtml, section, table } from '../../ts/report/html.ts';
import type { PruneCase, PruneResult } from './results.ts';

const TONES = { reconstruction: 'run', magnitude: 'other', random: 'third' } as const;

/** What is lost by what is left out, a chart for each model and kind. */
export function pruneSection({ note, cases }: PruneResult): string {
  const titleOf = ({ model, kind }: PruneCase): string => `${model}: ${kind}`;
  const charts = [...new Set(cases.map(titleOf))].map((title) => {
    const own = cases.filter((one) => titleOf(one) === title);
    return lineChart(
      title,
      Object.entries(TONES).map(([name, tone]) => ({ name, tone, points: pointsOf(own, name) })),
      own[0]!.kind === 'layers' ? 'layers left out' : `% of the ${own[0]!.kind} left out`,
      'error of the final states',
    );
  });
  const numeric = ['left out', 'parameters left', ...Object.keys(TONES), 'ms', 'whole ×'];
  return section(
    'Prune',
    `<p>${escapeHtml(note)}</p><div class="columns">${charts.join('')}</div>` +
      table(
        [{ title: 'model' }, { title: 'kind' }, ...numeric.map((title) => ({ title, numeric: true }))],
        cases.map(({ model, kind, amount, parametersLeft, errors, median, ratio }) => [
          model,
          kind,
          String(Number(amount.toPrecision(2))),
          String(parametersLeft),
          ...Object.keys(TONES).map((name) => String(errors[name] ?? '')),
          String(median.pruned!.ms),
          String(ratio.whole!.median),
        ]),
      ),
  );
}

function pointsOf(cases: readonly PruneCase[], method: string): [number, number][] {
  return cases.map(({ kind, amount, errors }) => [
    kind === 'layers' ? amount : amount * 100,
    errors[method]!,
  ]);
}
