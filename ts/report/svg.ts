import { escapeHtml } from './html.ts';

/** The drawing area of a chart, with its scales; built by `frame`. Lengths are in SVG units, y falls downwards. */
export interface Frame {
  left: number;
  right: number;
  top: number;
  bottom: number;
  x(value: number): number;
  y(value: number): number;
}

export interface Axis {
  /** Lowest and highest value; equal bounds are spread. */
  domain: [low: number, high: number];
  label?: string | undefined;
  /** Whether the axis shows its values. */
  ticks?: boolean | undefined;
}

export const WIDTH = 560;

/** A number as an attribute: short, without exponent. */
export function length(value: number): string {
  return String(Math.round(value * 100) / 100);
}

export function element(name: string, attributes: Record<string, string | number>, content = ''): string {
  const list = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${typeof value === 'number' ? length(value) : escapeHtml(value)}"`,
  );
  return content === '' ? `<${name}${list.join('')}/>` : `<${name}${list.join('')}>${content}</${name}>`;
}

/** What a reader sees when pointing at a mark. */
export function tooltip(text: string): string {
  return `<title>${escapeHtml(text)}</title>`;
}

export function text(x: number, y: number, content: string, attributes: Record<string, string> = {}): string {
  return element('text', { x, y, ...attributes }, escapeHtml(content));
}

/** Round values that cover a range in about `wanted` steps of 1, 2 or 5 times a power of ten. */
export function ticks([low, high]: [number, number], wanted = 5): number[] {
  const raw = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999) ?? 10) * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** Short decimal text of a tick or a value. */
export function label(value: number): string {
  return String(Number(value.toPrecision(4))).replace('-', '−');
}

/** A chart with its caption; `draw` gets the frame and returns the marks. */
export function chart(
  caption: string,
  height: number,
  axes: { x: Axis; y: Axis; left?: number },
  draw: (frame: Frame) => string,
): string {
  const [xs, ys] = [spread(axes.x.domain), spread(axes.y.domain)];
  const [left, right, top] = [axes.left ?? 52, WIDTH - 14, axes.y.label === undefined ? 10 : 26];
  const below = (axes.x.ticks === false ? 8 : 26) + (axes.x.label === undefined ? 0 : 18);
  const bottom = height - below;
  const frame: Frame = {
    left,
    right,
    top,
    bottom,
    x: (value) => left + ((value - xs[0]) / (xs[1] - xs[0])) * (right - left),
    y: (value) => bottom - ((value - ys[0]) / (ys[1] - ys[0])) * (bottom - top),
  };
  const parts = [grid(frame, xs, ys, axes), draw(frame)];
  if (axes.x.label !== undefined) {
    parts.push(text((left + right) / 2, height - 5, axes.x.label, { 'text-anchor': 'middle' }));
  }
  if (axes.y.label !== undefined) parts.push(text(4, 13, axes.y.label));
  const svg = element(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${height}`, role: 'img', 'aria-label': caption },
    parts.join(''),
  );
  return `<figure><figcaption>${escapeHtml(caption)}</figcaption>${svg}</figure>`;
}

function grid(frame: Frame, xs: [number, number], ys: [number, number], axes: { x: Axis; y: Axis }): string {
  const { left, right, top, bottom, x, y } = frame;
  const parts: string[] = [];
  if (axes.y.ticks !== false) {
    for (const tick of ticks(ys, 4)) {
      const at = y(tick);
      parts.push(element('line', { x1: left, x2: right, y1: at, y2: at, class: 'grid' }));
      parts.push(text(left - 8, at + 4, label(tick), { 'text-anchor': 'end' }));
    }
  }
  if (axes.x.ticks !== false) {
    for (const tick of ticks(xs, 6)) {
      const at = x(tick);
      if (axes.y.ticks === false) {
        parts.push(element('line', { x1: at, x2: at, y1: top, y2: bottom, class: 'grid' }));
      }
      parts.push(text(at, bottom + 17, label(tick), { 'text-anchor': 'middle' }));
    }
  }
  const base = Math.min(bottom, Math.max(top, y(0)));
  parts.push(element('line', { x1: left, x2: right, y1: base, y2: base, class: 'axis' }));
  return parts.join('');
}

function spread([low, high]: [number, number]): [number, number] {
  return high > low ? [low, high] : [low - 0.5, high + 0.5];
}
