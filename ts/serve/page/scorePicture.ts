import type { StageScores } from '../../core/types.ts';
import { svg } from './dom.ts';
import { score } from './figures.ts';

type Stage = keyof StageScores;

const STAGES: [stage: Stage, name: string][] = [
  ['dense', 'dense'],
  ['bm25', 'BM25'],
  ['fused', 'fused'],
  ['ranker', 'ranker'],
];
const [WIDTH, ROW, LEFT, BAR] = [208, 15, 46, 112];

/** What the longest bar of a stage means. */
export type Scale = Partial<Record<Stage, number>>;

/** Scales over a list of hits: the bars of a stage are in proportion to its best score there. */
export function scaleOf(hits: { scores: StageScores }[]): Scale {
  const best = (stage: Stage): number => Math.max(...hits.map(({ scores }) => scores[stage] ?? 0), 1e-9);
  // A cosine has its own end; a logit is shown as the probability that it stands for.
  return { dense: 1, bm25: best('bm25'), fused: best('fused'), ranker: 1 };
}

/** The scores of a hit, a bar a stage; a stage that did not see the document has no bar. */
export function scorePicture(scores: StageScores, scale: Scale): SVGSVGElement {
  const told = STAGES.map(([stage, name]) => `${name} ${textOf(scores[stage])}`).join(', ');
  const rows = STAGES.flatMap(([stage, name], i) => {
    const [y, value] = [i * ROW, scores[stage]];
    const share = value === undefined ? 0 : lengthOf(stage, value) / (scale[stage] ?? 1);
    const width = Math.min(1, Math.max(0, share)) * BAR;
    return [
      svg('text', { x: 0, y: y + 11 }, name),
      svg('rect', { x: LEFT, y: y + 4, width: BAR, height: 7, rx: 1.5, class: 'track' }),
      svg('rect', { x: LEFT, y: y + 4, width: width.toFixed(1), height: 7, rx: 1.5, class: stage }),
      svg('text', { x: WIDTH, y: y + 11, 'text-anchor': 'end', class: 'figure' }, textOf(value)),
    ];
  });
  const box = `0 0 ${WIDTH} ${STAGES.length * ROW}`;
  return svg('svg', { viewBox: box, class: 'scores', role: 'img', 'aria-label': `Scores: ${told}` }, ...rows);
}

const textOf = (value: number | undefined): string => (value === undefined ? '–' : score(value));

const lengthOf = (stage: Stage, value: number): number =>
  stage === 'ranker' ? 1 / (1 + Math.exp(-value)) : value;
