import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { barChart, histogram, intervalChart, lineChart, scatterPlot } from '../../ts/report/charts.ts';
import { ticks } from '../../ts/report/svg.ts';

/** All values of a numeric attribute of an element. */
function numbers(svg: string, element: string, attribute: string): number[] {
  const tags = [...svg.matchAll(new RegExp(`<${element} [^>]*>`, 'g'))].map(([tag]) => tag);
  return tags.flatMap((tag) => {
    const found = new RegExp(` ${attribute}="([^"]*)"`).exec(tag);
    return found === null ? [] : [Number(found[1])];
  });
}

describe('ticks', () => {
  test.each([
    [
      [0, 1],
      [0, 0.2, 0.4, 0.6, 0.8, 1],
    ],
    [
      [-0.3, 0.3],
      [-0.2, 0, 0.2],
    ],
    [
      [0, 1500],
      [0, 500, 1000, 1500],
    ],
  ] as [[number, number], number[]][])('%j', (domain, expected) => {
    expect(ticks(domain, domain[0] < 0 ? 4 : 5)).toEqual(expected);
  });

  test('are few, and within the domain', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
        (low, size) => {
          const found = ticks([low, low + size]);
          expect(found.length).toBeGreaterThan(1);
          expect(found.length).toBeLessThan(8);
          expect(found[0]).toBeGreaterThanOrEqual(low - 1e-6 * size - 1e-6);
          expect(found.at(-1)).toBeLessThanOrEqual(low + size + 1e-6 * size + 1e-6);
        },
      ),
    );
  });
});

describe('charts', () => {
  test('bars have the height of their values', () => {
    const svg = barChart(
      'bars',
      [
        { name: 'a', value: 0.4 },
        { name: 'b', value: -0.2 },
        { name: 'c', value: 0 },
      ],
      'x',
      'y',
    );
    const [a, b, c] = numbers(svg, 'rect', 'height') as [number, number, number];
    expect(a / b).toBeCloseTo(2, 1);
    expect(c).toBe(0);
    const [top] = numbers(svg, 'rect', 'y') as [number];
    expect(top + a).toBeCloseTo(numbers(svg, 'rect', 'y')[1]!, 1);
    expect(svg).toContain('<title>a: +0.4</title>');
    expect(svg).toContain('<title>b: −0.2</title>');
  });

  test('a histogram counts every value once, the highest too', () => {
    const svg = histogram('values', Float64Array.from([0, 0.05, 0.51, 1, 1, 0.999]), 'ndcg', 10);
    const counts = [...svg.matchAll(/: (\d+) quer/g)].map((match) => Number(match[1]));
    expect(counts).toEqual([2, 0, 0, 0, 0, 1, 0, 0, 0, 3]);
  });

  test('an interval is drawn from its low to its high end, with the value between', () => {
    const svg = intervalChart('means', [{ name: 'map', value: 0.5, low: 0.25, high: 0.75, tone: 'run' }]);
    const line = /<line x1="([\d.]+)" x2="([\d.]+)"[^>]*class="run"/.exec(svg)!;
    const [from, to] = [Number(line[1]), Number(line[2])];
    expect(numbers(svg, 'circle', 'cx')[0]).toBeCloseTo((from + to) / 2, 1);
  });

  test('a line goes through its points, and several lines have a legend', () => {
    const one = {
      name: 'one',
      tone: 'run' as const,
      points: [
        [0, 1],
        [100, 0],
      ] as [number, number][],
    };
    expect(lineChart('l', [one], 'x', 'y')).toMatch(/d="M52 26L546 \d+"/);
    const both = lineChart('l', [one, { ...one, name: 'two', tone: 'other' }], 'x', 'y');
    expect(both).toMatch(/>one<\/text>.*>two<\/text>/);
    expect(both).not.toContain('class="guide"');
    const marked = lineChart('l', [one], 'x', 'y', 50);
    expect(marked).toMatch(/<line x1="299" x2="299" [^>]*class="guide"/);
  });

  test('points lie on the diagonal where both values are the same', () => {
    const svg = scatterPlot('s', [{ name: 'q', x: 1, y: 1 }], 'x', 'y');
    expect(numbers(svg, 'circle', 'cx')[0]).toBeCloseTo(numbers(svg, 'line', 'x2').at(-1)!, 1);
    expect(numbers(svg, 'circle', 'cy')[0]).toBeCloseTo(numbers(svg, 'line', 'y2').at(-1)!, 1);
  });

  test('hostile names are escaped, and equal or zero values still make finite numbers', () => {
    const name = '"><script>alert(1)</script>';
    const all = [
      barChart(name, [{ name, value: 0 }], name, name),
      histogram(name, Float64Array.of(0), name),
      intervalChart(name, [{ name, value: 0, low: 0, high: 0, tone: 'run' }]),
      lineChart(name, [{ name, tone: 'run', points: [[0, 0]] }], name, name),
      scatterPlot(name, [{ name, x: 0, y: 0 }], name, name),
    ].join('');
    expect(all).not.toContain('<script');
    expect(all).not.toMatch(/NaN|Infinity/);
  });
});
