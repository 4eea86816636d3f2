import { svg } from './dom.ts';
import { score } from './figures.ts';
import type { WireHit } from './wire.ts';

type Scored = Pick<WireHit, 'score' | 'scores'>;
type Row = keyof WireHit['scores'] | 'score';

const ROWS: [row: Row, name: string][] = [
  ['dense', 'dense'],
  ['bm25', 'BM25'],
  ['fused', 'fused'],
  ['ranker', 'ranker'],
  ['score', 'score'],
];
const [WIDTH, ROW, LEFT, BAR] = [208, 15, 46, 102];
/** Share of a bar that the lowest score of a list has: it is a score, too. */
const LEAST = 0.03;

/** For each row that some hit of a list has: the scores at which its bars are empty and full. */
export type Scale = Map<Row, { empty: number; full: number }>;

/** A hit's figure in a row. What the ranker did not read keeps the score of retrieval, which has its own row. */
function figureOf({ score: blended, scores }: Scored, row: Row): number | undefined {
  if (row !== 'score') return scores[row];
  return scores.ranker === undefined ? undefined : blended;
}

/** Scales over a list of hits. */
export function scaleOf(hits: Scored[]): Scale {
  const scale: Scale = new Map();
  for (const [row] of ROWS) {
    const values = hits.map((hit) => figureOf(hit, row)).filter((value) => value !== undefined);
    if (values.length === 0) continue;
    const [least, most] = [Math.min(...values), Math.max(...values)];
    // A cosine has its own ends (attributes may add to it), and the scores of words and ranks their zero. A logit has neither.
    const zero = row === 'ranker' || row === 'score' ? least - (most - least) * LEAST : 0;
    scale.set(row, { empty: zero, full: row === 'dense' ? Math.max(1, most) : most });
  }
  return scale;
}

/** The scores of a hit, a bar a row; last and boldest the one that the list is sorted by. */
export function scorePicture(hit: Scored, scale: Scale): SVGSVGElement {
  const shown = ROWS.filter(([row]) => scale.has(row));
  const told = shown.map(([row, name]) => `${name} ${textOf(figureOf(hit, row))}`).join(', ');
  const decisive = shown.findLast(([row]) => figureOf(hit, row) !== undefined)?.[0];
  const rows = shown.flatMap(([row, name], i) => {
    const [y, value] = [i * ROW, figureOf(hit, row)];
    const width = value === undefined ? 0 : shareOf(value, scale.get(row)!) * BAR;
    return [
      svg('text', { x: 0, y: y + 11 }, name),
      svg('rect', { x: LEFT, y: y + 4, width: BAR, height: 7, rx: 1.5, class: 'track' }),
      svg('rect', {
        x: LEFT,
        y: y + 4,
        width: width.toFixed(1),
        height: 7,
        rx: 1.5,
        class: row === decisive ? 'score decisive' : 'score',
      }),
      svg('text', { x: WIDTH, y: y + 11, 'text-anchor': 'end', class: 'figure' }, textOf(value)),
    ];
  });
  const box = `0 0 ${WIDTH} ${shown.length * ROW}`;
  return svg('svg', { viewBox: box, class: 'scores', role: 'img', 'aria-label': `Scores: ${told}` }, ...rows);
}

const textOf = (value: number | undefined): string => (value === undefined ? '–' : score(value));

function shareOf(value: number, { empty, full }: { empty: number; full: number }): number {
  if (full <= empty) return 1;
  return Math.min(1, Math.max(0, (value - empty) / (full - empty)));
}
