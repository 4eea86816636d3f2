import { lineChart, type Series } from '../../ts/report/charts.ts';
import { escapeHtml, figures, page, section, table } from '../../ts/report/html.ts';
import type { CurveResult } from './curve.ts';
import type { LoadFigures } from './figures.ts';
import type { IngestResult } from './ingest.ts';
import type { OverloadResult } from './overload.ts';
import type { SoakResult } from './soak.ts';

/** What `bench/results/serve.json` holds: the last run of each part. */
export interface Results {
  machine: string;
  node: string;
  index: string;
  note: string;
  curve?: CurveResult;
  overload?: OverloadResult;
  ingest?: IngestResult;
  soak?: SoakResult;
}

const HEAD = ['', 'due /s', 'served /s', 'median', 'P90', 'P99', 'refused %', 'ranked', 'client late'].map(
  (title, i) => ({ title, numeric: i > 0 }),
);

function row(name: string, load: LoadFigures): string[] {
  const { offered, served, median, p90, p99, shed, late, ranked, clientLateP99 } = load;
  const refused = Math.round((shed + late) * 1000) / 10;
  return [name, ...[offered, served, median, p90, p99, refused, ranked, clientLateP99].map(String)];
}

const paragraph = (text: string): string => `<p>${escapeHtml(text)}</p>`;

function curveSection({ method, most, closed, points, knee, kneeRate, atGate }: CurveResult): string {
  const line = (name: string, tone: Series['tone'], of: (load: LoadFigures) => number): Series => ({
    name,
    tone,
    points: points.map((load) => [load.offered, of(load)]),
  });
  const top = Math.max(...points.map(({ p99 }) => p99));
  const mark: Series = {
    name: `knee: ${kneeRate}/s`,
    tone: 'other',
    points: [
      [kneeRate, 0],
      [kneeRate, top],
    ],
  };
  return section(
    'Throughput and latency',
    paragraph(method) +
      figures([
        { label: 'knee', value: `${kneeRate}/s` },
        { label: 'highest throughput', value: `${most}/s`, note: `closed loop: ${closed}/s` },
        { label: 'P99 / median at 80 % of the knee', value: String(atGate.ratioEven), note: 'gate: below 2' },
        { label: 'the same, Poisson arrivals', value: String(atGate.ratioPoisson) },
      ]) +
      lineChart(
        'Median latency',
        [line('median', 'run', ({ median }) => median), mark],
        'searches a second',
        'ms',
      ) +
      lineChart('P99 of latency', [line('P99', 'run', ({ p99 }) => p99), mark], 'searches a second', 'ms') +
      lineChart(
        'Served of what was due',
        [line('served', 'run', ({ served }) => served), line('due', 'other', ({ offered }) => offered)],
        'searches a second',
        'a second',
      ) +
      table(HEAD, [
        ...points.map((load, i) => row(i === knee ? 'knee' : '', load)),
        row('80 % of the knee', atGate.even),
        row('80 %, Poisson', atGate.poisson),
      ]),
  );
}

function overloadSection(result: OverloadResult): string {
  const { method, knee, steadyRate, burstRate, before, during, after, recoverySeconds, seconds } = result;
  const shown = seconds.filter(({ p99 }) => Number.isFinite(p99));
  return section(
    'Overload',
    paragraph(`${method} Knee: ${knee}.`) +
      figures([
        { label: 'refused during the overload', value: `${Math.round((during.shed + during.late) * 100)} %` },
        { label: 'P99 of those admitted', value: `${during.p99} ms`, note: `before: ${before.p99} ms` },
        { label: 'recovered after', value: recoverySeconds === undefined ? 'not' : `${recoverySeconds} s` },
      ]) +
      lineChart(
        `P99 of the steady ${steadyRate}/s, second by second; ${burstRate}/s more in the middle`,
        [{ name: 'P99', tone: 'run', points: shown.map(({ second, p99 }) => [second, p99]) }],
        'seconds',
        'ms',
      ) +
      table(HEAD, [row('before', before), row('overload', during), row('after', after)]),
  );
}

function ingestSection(result: IngestResult): string {
  const { method, knee, documentsPerSecond, without, with: loaded, ratioP99, loop, writes } = result;
  return section(
    'Search while documents come in',
    paragraph(`${method} Knee: ${knee}.`) +
      figures([
        { label: 'P99 with ingest over P99 without', value: String(ratioP99), note: 'gate: at most 1.25' },
        { label: 'ingest', value: `${documentsPerSecond}/s` },
        { label: 'longest delay of the event loop', value: `${loop.with.longest} ms`, note: 'with ingest' },
        { label: 'P99 of that delay', value: `${loop.with.p99} ms`, note: `without: ${loop.without.p99} ms` },
      ]) +
      table(HEAD, [row('without', without), row('with', loaded), row('writes', writes)]),
  );
}

function soakSection(result: SoakResult): string {
  const { method, operations, secondsOfTraffic, operationsPerSecond, memory, medianMs, p99Ms } = result;
  return section(
    'Soak',
    paragraph(method) +
      figures([
        { label: 'operations', value: String(operations), note: `${secondsOfTraffic} s of traffic` },
        { label: 'operations a second', value: String(operationsPerSecond) },
        { label: 'median, P99', value: `${medianMs}, ${p99Ms} ms` },
      ]) +
      lineChart(
        'Memory after a collection',
        [
          { name: 'resident', tone: 'run', points: memory.map((at) => [at.operations, at.rss]) },
          { name: 'JavaScript heap', tone: 'other', points: memory.map((at) => [at.operations, at.heap]) },
        ],
        'operations',
        'MB',
      ),
  );
}

/** The results as a page that stands alone. */
export function report({ machine, node, index, note, ...parts }: Results): string {
  return page(
    'seine serve under load',
    [
      '<h1>seine serve under load</h1>',
      paragraph(`${machine}; Node ${node}; ${index}. ${note}`),
      parts.curve && curveSection(parts.curve),
      parts.overload && overloadSection(parts.overload),
      parts.ingest && ingestSection(parts.ingest),
      parts.soak && soakSection(parts.soak),
    ]
      .filter((part) => part !== undefined)
      .join('\n'),
  );
}
