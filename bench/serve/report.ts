import { lineChart, type Series } from '../../ts/report/charts.ts';
import { figures, page, paragraph, section, table } from '../../ts/report/html.ts';
import type { BurstPolicy, BurstResult } from './burst.ts';
import type { CacheResult } from './cache.ts';
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
  curve?: Part<CurveResult>;
  overload?: Part<OverloadResult>;
  burst?: Part<BurstResult>;
  cache?: Part<CacheResult>;
  ingest?: Part<IngestResult>;
  soak?: Part<SoakResult>;
}

/** What was found, by which command, with which state of the sources. */
export type Part<T> = T & { command: string; commit: string };

const HEAD = ['', 'due /s', 'served /s', 'median', 'P90', 'P99', 'refused %', 'ranked', 'client late'].map(
  (title, i) => ({ title, numeric: i > 0 }),
);

function row(name: string, load: LoadFigures): string[] {
  const { offered, served, median, p90, p99, shed, late, ranked, clientLateP99 } = load;
  const refused = Math.round((shed + late) * 1000) / 10;
  return [name, ...[offered, served, median, p90, p99, refused, ranked, clientLateP99].map(String)];
}

/** Median and P99 of latency over the rate of searches at a fixed ranking depth. */
export function latencyChart({ points, kneeRate }: CurveResult): string {
  const line = (of: (load: LoadFigures) => number): [number, number][] =>
    points.map((load) => [load.offered, of(load)]);
  return lineChart(
    `Latency over throughput; the knee lies at ${kneeRate} searches a second`,
    [
      { name: 'median', tone: 'run', points: line(({ median }) => median) },
      { name: 'P99', tone: 'other', points: line(({ p99 }) => p99) },
    ],
    'searches a second',
    'ms',
    kneeRate,
  );
}

function curveSection(result: CurveResult): string {
  const { method, most, points, knee, kneeRate, atGate, controlled } = result;
  const line = (of: (load: LoadFigures) => number): Series['points'] =>
    controlled.map((load) => [load.offered, of(load)]);
  return section(
    'Throughput and latency',
    paragraph(method) +
      figures([
        { label: 'knee', value: `${kneeRate}/s` },
        { label: 'closed loop', value: `${most}/s` },
        { label: 'P99 / median at 80 % of the knee', value: String(atGate.ratioEven), note: 'gate: below 2' },
        { label: 'the same, Poisson arrivals', value: String(atGate.ratioPoisson) },
      ]) +
      latencyChart(result) +
      table(HEAD, [
        ...points.map((load, i) => row(i === knee ? 'knee' : '', load)),
        row('80 % of the knee', atGate.even),
        row('80 %, Poisson', atGate.poisson),
      ]) +
      '<h3 class="below">With default settings: the controller gives up ranking depth</h3>' +
      lineChart(
        'Documents ranked for a search',
        [{ name: 'ranked', tone: 'run', points: line(({ ranked }) => ranked) }],
        'searches a second',
        'documents',
      ) +
      lineChart(
        'Served',
        [
          { name: 'served', tone: 'run', points: line(({ served }) => served) },
          { name: 'due', tone: 'other', points: line(({ offered }) => offered) },
        ],
        'searches a second',
        'a second',
      ) +
      table(
        HEAD,
        controlled.map((load) => row('', load)),
      ),
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

function burstSection({ method, targetMs, calmRate, policies, gain }: BurstResult): string {
  const { controlled, least, greatest } = policies;
  const line = (
    name: string,
    tone: Series['tone'],
    { depths }: BurstPolicy,
    of: 'ranked' | 'p99',
  ): Series => ({
    name,
    tone,
    points: depths.filter((at) => Number.isFinite(at[of])).map((at) => [at.second, at[of]]),
  });
  const interval = ({ mean, low, high }: BurstResult['gain']['all']): string => `${mean} [${low}, ${high}]`;
  const rows = (name: string, { calm, burst, settled, after }: BurstPolicy): string[][] => [
    row(`${name}: calm`, calm),
    row(`${name}: burst`, burst),
    row(`${name}: settled`, settled),
    row(`${name}: after`, after),
  ];
  const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`;
  return section(
    'Ranking depth in a burst of three times the load',
    paragraph(`${method} Calm: ${calmRate}/s.`) +
      figures([
        {
          label: 'P99 in the burst, settled',
          value: `${controlled.settled.p99} ms`,
          note: `set point: ${targetMs}`,
        },
        {
          label: 'answered too late or not at all',
          value: percent(controlled.missed),
          note: `least depth ${percent(least.missed)}, greatest ${percent(greatest.missed)}`,
        },
        {
          label: 'NDCG@10 over the least depth',
          value: interval(gain.all),
          note: `${gain.all.queries} queries`,
        },
        {
          label: 'the same, in the burst',
          value: interval(gain.burst),
          note: `${gain.burst.queries} queries`,
        },
      ]) +
      lineChart('Ranking depth', [line('controlled', 'run', controlled, 'ranked')], 'seconds', 'documents') +
      lineChart(
        'P99 of latency, five seconds at a time',
        [line('controlled', 'run', controlled, 'p99'), line('greatest depth', 'other', greatest, 'p99')],
        'seconds',
        'ms',
      ) +
      table(HEAD, [
        ...rows('controlled', controlled),
        ...rows('least', least),
        ...rows('greatest', greatest),
      ]) +
      paragraph(
        `NDCG@10: controlled ${controlled.ndcg}, least ${least.ndcg}, greatest ${greatest.ndcg} (of what it answered).`,
      ),
  );
}

function cacheSection(result: CacheResult): string {
  const { method, rate, hitRate, hitRates, entries, gainMedian, gainP99, replaced, checked, stale } = result;
  return section(
    'Score cache',
    paragraph(`${method} Rate: ${rate}/s.`) +
      figures([
        {
          label: 'scores not computed again',
          value: `${Math.round(hitRate * 100)} %`,
          note: `${entries} kept`,
        },
        { label: 'median without over with', value: `${gainMedian} ×` },
        { label: 'P99 without over with', value: `${gainP99} ×` },
        {
          label: 'stale answers',
          value: `${stale} of ${checked}`,
          note: `${replaced} documents replaced meanwhile`,
        },
      ]) +
      lineChart(
        'Scores not computed again, by round',
        [{ name: 'share', tone: 'run', points: hitRates.map((share, i) => [i + 1, 100 * share]) }],
        'round',
        '%',
      ) +
      table(HEAD, [row('without', result.without), row('with', result.with)]),
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
      parts.burst && burstSection(parts.burst),
      parts.cache && cacheSection(parts.cache),
      parts.ingest && ingestSection(parts.ingest),
      parts.soak && soakSection(parts.soak),
    ]
      .filter((part) => part !== undefined)
      .join('\n'),
  );
}
