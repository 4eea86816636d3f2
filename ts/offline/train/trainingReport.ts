import { lineChart } from '../../report/charts.ts';
import { escapeHtml, figures, page, section, table } from '../../report/html.ts';
import type { Manifest } from './manifest.ts';

/** The curve of a training as one self-contained page: loss, gradient and rate by step, recipe and data. */
export function trainingReport({
  curve,
  recipe,
  data,
  model,
  steps,
  seconds,
  seine,
  threads,
}: Manifest): string {
  const line = (name: string, values: readonly number[], tone: 'run' | 'other' = 'run') => ({
    name,
    tone,
    points: values.map((value, i): [number, number] => [i + 1, value]),
  });
  const { loss, gradientNorm, rate } = curve;
  const smooth = smoothed(loss);
  const digits = (value: number): string => value.toPrecision(3);
  const rows = Object.entries(recipe).map(([name, value]) => [name, JSON.stringify(value)]);
  return page(
    `Training of a ${recipe.task}`,
    [
      `<h1>Training of a ${escapeHtml(recipe.task)}</h1>`,
      `<p class="lead">From ${escapeHtml(model.name)}, by Seine ${escapeHtml(seine)}</p>`,
      figures([
        {
          label: 'Loss',
          value: digits(smooth.at(-1)!),
          note: `${digits(smooth[0]!)} at first; means of steps near`,
        },
        { label: 'Steps', value: String(steps) },
        { label: 'Time', value: `${Math.round(seconds)} s`, note: `on ${threads} threads` },
      ]),
      section(
        'Curve',
        lineChart('Loss', [line('step', loss, 'other'), line('mean of steps near', smooth)], 'step', 'loss') +
          `<div class="columns below">${lineChart('Length of the gradient', [line('gradient', gradientNorm)], 'step', '')}` +
          `${lineChart(
            'Learning rate, millionths',
            [
              line(
                'rate',
                rate.map((value) => 1e6 * value),
              ),
            ],
            'step',
            '',
          )}</div>`,
      ),
      section('Recipe', table([{ title: 'field' }, { title: 'value' }], rows)),
      section(
        'Data',
        table(
          [{ title: 'file' }, { title: 'queries', numeric: true }, { title: 'SHA-256' }],
          data.map(({ file, groups, sha256 }) => [file, String(groups), sha256]),
        ),
      ),
    ].join('\n'),
  );
}

/** Exponential moving average over about a fiftieth of the curve, without the bias of its start. */
function smoothed(values: readonly number[]): number[] {
  const keep = 1 - 1 / Math.max(1, values.length / 50);
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    sum = keep * sum + (1 - keep) * value;
    weight = keep * weight + (1 - keep);
    return sum / weight;
  });
}
