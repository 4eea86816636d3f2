import { chart, element, type Frame, label, length, text, tooltip } from './svg.ts';

/** Which of two colours: that of the run in question, or of the one it is set against. */
export type Tone = 'run' | 'other' | 'third';

export interface Interval {
  name: string;
  value: number;
  low: number;
  high: number;
  tone: Tone;
}

/** Values with their intervals, one a line, from 0 upwards. */
export function intervalChart(caption: string, rows: Interval[]): string {
  const height = rows.length * 26 + 40;
  const high = highest(rows.map((row) => row.high));
  const widest = highest(rows.map((row) => row.name.length));
  const axes = {
    x: { domain: [0, niceTop(high)] as [number, number] },
    y: { domain: [0, rows.length] as [number, number], ticks: false },
    left: Math.min(240, 14 + widest * 6.8),
  };
  return chart(caption, height, axes, ({ left, x, y }) =>
    rows
      .map((row, i) => {
        const at = y(rows.length - i - 0.5);
        const said = `${row.name}: ${label(row.value)} [${label(row.low)}, ${label(row.high)}]`;
        return [
          text(left - 8, at + 4, row.name, { 'text-anchor': 'end', class: 'name' }),
          element('line', { x1: x(row.low), x2: x(row.high), y1: at, y2: at, class: row.tone }),
          element('circle', { cx: x(row.value), cy: at, r: 4.5, class: row.tone }, tooltip(said)),
        ].join('');
      })
      .join(''),
  );
}

/** How often values fall into each of `bins` equal parts of 0 to their highest value (at least 1). */
export function histogram(caption: string, values: Float64Array, xLabel: string, bins = 20): string {
  const high = niceTop(Math.max(1, highest(values)));
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) counts[Math.min(bins - 1, Math.floor((value / high) * bins))]!++;
  const axes = {
    x: { domain: [0, high] as [number, number], label: xLabel },
    y: { domain: [0, niceTop(Math.max(4, highest(counts)))] as [number, number], label: 'queries' },
  };
  return chart(caption, 260, axes, ({ x, y }) =>
    counts
      .map((count, i) => {
        const [from, to] = [(i / bins) * high, ((i + 1) / bins) * high];
        const [left, top] = [x(from) + 0.75, y(count)];
        const said = `${label(from)} to ${label(to)}: ${count} ${count === 1 ? 'query' : 'queries'}`;
        return element(
          'rect',
          { x: left, y: top, width: x(to) - left - 0.75, height: y(0) - top, rx: 1, class: 'run' },
          tooltip(said),
        );
      })
      .join(''),
  );
}

export interface Series {
  name: string;
  tone: Tone;
  /** Ordered by x. */
  points: [x: number, y: number][];
}

/** Lines over common axes from 0, with a legend if there are several; `mark` is a value of x to point out. */
export function lineChart(
  caption: string,
  series: Series[],
  xLabel: string,
  yLabel: string,
  mark?: number,
): string {
  const points = series.flatMap((line) => line.points);
  const axes = {
    x: { domain: [0, highest(points.map(([x]) => x))] as [number, number], label: xLabel },
    y: {
      domain: [0, niceTop(Math.max(1, highest(points.map(([, y]) => y))))] as [number, number],
      label: yLabel,
    },
  };
  return chart(caption, 260, axes, (frame) => {
    const lines = series.map(({ name, tone, points: path }) => {
      const d = path.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${length(frame.x(x))} ${length(frame.y(y))}`);
      return element('path', { d: d.join(''), class: tone }, tooltip(name));
    });
    const at = frame.x(mark ?? 0);
    const guide = { x1: at, x2: at, y1: frame.top, y2: frame.bottom, class: 'guide' };
    return (
      (mark === undefined ? '' : element('line', guide)) +
      lines.join('') +
      (series.length > 1 ? legend(series, frame) : '')
    );
  });
}

function legend(series: Series[], { right, top }: Frame): string {
  return series
    .map(({ name, tone }, i) => {
      const at = top + 8 + i * 18;
      return (
        element('circle', { cx: right - 8, cy: at, r: 4.5, class: tone }) +
        text(right - 19, at + 4, name, { 'text-anchor': 'end', class: 'name' })
      );
    })
    .join('');
}

export interface Bar {
  name: string;
  value: number;
}

/** Bars from 0, in the order given: upwards in the colour of gain, downwards in that of loss. */
export function barChart(caption: string, bars: Bar[], xLabel: string, yLabel: string): string {
  const values = bars.map((bar) => bar.value);
  const reach = niceTop(highest(values.map(Math.abs)));
  const low = values.some((value) => value < 0) ? -reach : 0;
  const high = low === 0 || values.some((value) => value > 0) ? reach : 0;
  const axes = {
    x: { domain: [0, bars.length] as [number, number], label: xLabel, ticks: false },
    y: { domain: [low, high] as [number, number], label: yLabel },
  };
  return chart(caption, 280, axes, ({ x, y }) => {
    const gap = Math.min(2, (x(1) - x(0)) * 0.2);
    return bars
      .map(({ name, value }, i) => {
        const [top, bottom] = [y(Math.max(0, value)), y(Math.min(0, value))];
        const place = { x: x(i) + gap / 2, width: x(i + 1) - x(i) - gap, y: top, height: bottom - top };
        const said = `${name}: ${value > 0 ? '+' : ''}${label(value)}`;
        return element('rect', { ...place, class: value < 0 ? 'down' : 'up' }, tooltip(said));
      })
      .join('');
  });
}

export interface Point {
  name: string;
  x: number;
  y: number;
}

/** Points over equal axes from 0, with the diagonal on which both values are the same. */
export function scatterPlot(caption: string, points: Point[], xLabel: string, yLabel: string): string {
  const high = niceTop(Math.max(1, highest(points.map(({ x, y }) => Math.max(x, y)))));
  const domain: [number, number] = [0, high];
  const axes = { x: { domain, label: xLabel }, y: { domain, label: yLabel } };
  return chart(caption, 420, axes, (frame) => {
    const [from, to] = [0, high];
    const ends = { x1: frame.x(from), y1: frame.y(from), x2: frame.x(to), y2: frame.y(to) };
    const dots = points.map(({ name, x, y }) =>
      element(
        'circle',
        { cx: frame.x(x), cy: frame.y(y), r: 3.5, class: 'run dot' },
        tooltip(`${name}: ${label(y)} against ${label(x)}`),
      ),
    );
    return element('line', { ...ends, class: 'guide' }) + dots.join('');
  });
}

/** `Math.max(...values)` for lists of any length. */
function highest(values: Iterable<number>): number {
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) high = Math.max(high, value);
  return high;
}

/** The next round number: 1, 1.5, 2, 3, 5, 8 times a power of ten. */
function niceTop(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 1.5, 2, 3, 5, 8].find((factor) => factor * power >= value * (1 - 1e-9)) ?? 10) * power;
}
