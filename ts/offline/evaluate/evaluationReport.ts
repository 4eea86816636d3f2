import {
  barChart,
  histogram,
  intervalChart,
  lineChart,
  type Series,
  scatterPlot,
} from '../../report/charts.ts';
import { escapeHtml, figures, page, section, table } from '../../report/html.ts';
import type { Interval } from './bootstrap.ts';
import { differencesIn } from './compare.ts';
import { meanOf, valuesOf } from './evaluate.ts';
import { difference, digits, interval, pValue } from './figureText.ts';
import type { AgainstInput, ReportInput } from './reportInput.ts';
import { changedQueries, worstQueries } from './reportQueries.ts';

/** Bars and points beyond this are thinned out evenly: a screen shows no more, and the page stays small. */
const MOST_MARKS = 1500;
const LISTED = 20;

/** An evaluation as one self-contained HTML page. The first metric is the one that charts and lists are about. */
export function evaluationReport(input: ReportInput): string {
  const { run, qrelsPath, evaluation, against } = input;
  const versus = against === undefined ? '' : ` against ${against.path}`;
  const body = [
    `<h1>${escapeHtml(run)}</h1>`,
    `<p class="lead">Evaluated${escapeHtml(versus)} by the relevance grades of ${escapeHtml(qrelsPath)}</p>`,
    headline(input),
    section('Metrics', remarks(input) + metricTable(input) + metricChart(input)),
    section('Queries', distribution(input)),
    against === undefined ? '' : section('Query by query', differences(input, against)),
    section(`Worst queries by ${evaluation.metrics[0]!}`, worstQueries(evaluation, input, LISTED)),
    section('How this was made', provenance(input)),
  ];
  return page(`Evaluation of ${run}${versus}`, body.filter((part) => part !== '').join('\n'));
}

function headline({ evaluation, intervals, against }: ReportInput): string {
  const metric = evaluation.metrics[0]!;
  const cards: { label: string; value: string; note?: string }[] = [
    { label: metric, value: digits(evaluation.mean[metric]!), note: interval(intervals[metric]!) },
  ];
  if (against !== undefined) {
    const { mean, interval: range, p, better, worse } = against.comparison.differences[metric]!;
    cards.push({
      label: 'Difference',
      value: difference(mean),
      note: `${signedInterval(range)}, ${pValue(p)}`,
    });
    cards.push({ label: 'Better : worse', value: `${better} : ${worse}`, note: 'queries' });
  }
  const left = evaluation.missing.length;
  const note = left === 0 ? 'every judged query is in the run' : `judged but not in the run: ${left}`;
  cards.push({ label: 'Queries', value: String(evaluation.queries.size), note });
  return figures(cards);
}

function signedInterval({ low, high }: Interval): string {
  return `[${difference(low)}, ${difference(high)}]`;
}

function remarks({ evaluation, against }: ReportInput): string {
  const lines: string[] = [];
  const { missing, unjudged, queries } = evaluation;
  const counted = missing.some((query) => queries.has(query));
  if (missing.length > 0) {
    const fate = counted ? 'count as 0' : 'are left out of every mean';
    lines.push(
      `${missing.length} judged queries have no results in the run and ${fate}: ${listed(missing)}.`,
    );
  }
  if (unjudged.length > 0) {
    lines.push(
      `${unjudged.length} queries of the run have no judgements and do not count: ${listed(unjudged)}.`,
    );
  }
  const common = against?.comparison.queries.length;
  if (common !== undefined && (common < queries.size || common < against!.evaluation.queries.size)) {
    lines.push(
      `The two runs are compared over the ${common} queries that both have; means are over each run's own.`,
    );
  }
  return lines.map((line) => `<p class="warning">${escapeHtml(line)}</p>`).join('');
}

function listed(ids: string[]): string {
  const shown = ids.slice(0, 10).join(', ');
  return ids.length > 10 ? `${shown} and ${ids.length - 10} more` : shown;
}

function metricTable({ evaluation, intervals, against }: ReportInput): string {
  const columns = ['Metric', 'Mean', '95 % interval'];
  if (against !== undefined)
    columns.push('Against', 'Difference', '95 % interval', 'p', 'Better', 'Worse', 'Equal');
  const rows = evaluation.metrics.map((metric) => {
    const row = [metric, digits(evaluation.mean[metric]!), interval(intervals[metric]!)];
    const changed = against?.comparison.differences[metric];
    if (against === undefined || changed === undefined) return row;
    const { better, worse, equal } = changed;
    return [
      ...row,
      digits(against.evaluation.mean[metric]!),
      { html: coloured(changed.mean, changed.interval) },
      signedInterval(changed.interval),
      pValue(changed.p).replace('p ', '').replace('= ', ''),
      ...[better, worse, equal].map(String),
    ];
  });
  return table(
    columns.map((title, i) => ({ title, numeric: i > 0 })),
    rows,
  );
}

/** Green or red only where the interval excludes 0. */
function coloured(mean: number, { low, high }: Interval): string {
  const tone = low > 0 ? 'good' : high < 0 ? 'bad' : 'quiet';
  return `<span class="${tone}">${difference(mean)}</span>`;
}

function metricChart({ run, evaluation, intervals, against }: ReportInput): string {
  const rows = evaluation.metrics
    .filter((metric) => !metric.startsWith('num_'))
    .flatMap((metric) => {
      const row = {
        name: metric,
        value: evaluation.mean[metric]!,
        ...intervals[metric]!,
        tone: 'run' as const,
      };
      if (against === undefined) return [row];
      const value = against.evaluation.mean[metric]!;
      return [
        row,
        { name: `${metric}, against`, value, ...against.intervals[metric]!, tone: 'other' as const },
      ];
    });
  if (rows.length === 0) return '';
  const colours = against === undefined ? '' : ` (blue: ${run}, orange: ${against.path})`;
  return `<div class="below">${intervalChart(`Means with 95 % intervals${colours}`, rows)}</div>`;
}

function distribution({ run, evaluation, against }: ReportInput): string {
  const metric = evaluation.metrics[0]!;
  const values = valuesOf(evaluation.queries, metric);
  const series: Series[] = [{ name: run, tone: 'run', points: sortedCurve(values) }];
  if (against !== undefined) {
    const others = valuesOf(against.evaluation.queries, metric);
    series.push({ name: against.path, tone: 'other', points: sortedCurve(others) });
  }
  return `<div class="columns">${[
    histogram(`How many queries reach which ${metric}`, values, metric),
    lineChart(`${metric} of the queries, best first`, series, 'share of the queries, %', metric),
  ].join('')}</div>`;
}

function sortedCurve(values: Float64Array): [number, number][] {
  const sorted = values.toSorted().reverse();
  const last = Math.max(1, sorted.length - 1);
  return thinned([...sorted].map((value, i): [number, number] => [(100 * i) / last, value]));
}

function differences(input: ReportInput, against: AgainstInput): string {
  const { evaluation, run } = input;
  const metric = evaluation.metrics[0]!;
  const { queries } = against.comparison;
  const column = differencesIn(evaluation, against.evaluation, metric, queries);
  const changes = queries
    .map((name, i) => ({ name, value: column[i]! }))
    .sort((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1));
  const points = queries.map((name) => ({
    name,
    x: against.evaluation.queries.get(name)![metric]!,
    y: evaluation.queries.get(name)![metric]!,
  }));
  const thin = changes.length > MOST_MARKS ? ', thinned out evenly' : '';
  const equal = changes.filter(({ value }) => value === 0).length;
  return [
    '<div class="columns">',
    barChart(
      `Difference in ${metric} per query, best first${thin}`,
      thinned(changes),
      `${changes.length} queries, ${equal} of them equal; mean ${difference(meanOf(column))}`,
      `difference in ${metric}`,
    ),
    scatterPlot(`${metric} of each query in both runs${thin}`, thinned(points), against.path, run),
    '</div>',
    changedQueries(input, against, changes, LISTED / 2),
  ].join('');
}

function thinned<T>(items: T[]): T[] {
  if (items.length <= MOST_MARKS) return items;
  const step = (items.length - 1) / (MOST_MARKS - 1);
  return Array.from({ length: MOST_MARKS }, (_, i) => items[Math.round(i * step)]!);
}

function provenance({ command, versions, against }: ReportInput): string {
  const test =
    against === undefined
      ? ''
      : '; p by a paired randomisation test, two-sided, not corrected for the number of metrics';
  return [
    `<pre><code>${escapeHtml(command)}</code></pre>`,
    `<p>${escapeHtml(versions)}</p>`,
    '<p class="hint">Metrics as in trec_eval (ndcg with linear gains, ndcg_exp with 2<sup>grade</sup> − 1; grades ',
    'below 1 are not relevant; equal scores order by falling document id; judged@k is the share of results that the ',
    'relevance file lists). Intervals are percentile bootstrap over queries, 10,000 resamples',
    `${test}.</p>`,
  ].join('');
}
