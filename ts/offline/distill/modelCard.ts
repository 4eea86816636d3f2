import type { CollectionFigures } from './evaluationStage.ts';
import type { Figure } from './measure.ts';
import type { DistillRecipe } from './recipe.ts';
import type { Splits } from './splitStage.ts';
import type { Tuning } from './tuningStage.ts';

export interface CardInput {
  recipe: DistillRecipe;
  /** Markdown that comes first: what the model is, its licence, its limits. */
  head: string | undefined;
  /** `training.json` of the student. */
  training: { steps: number; parameters: number; maxTokens: number; curve: { loss: number[] } };
  splits: Splits;
  tuning: Tuning | undefined;
  figures: readonly CollectionFigures[];
}

const WINDOW = 20;

/** The model card: what was written by hand, then data, training and figures as the stages found them. */
export function modelCard({ recipe, head, training, splits, tuning, figures }: CardInput): string {
  const { steps, parameters, maxTokens, curve } = training;
  const part = (loss: readonly number[]) =>
    (loss.reduce((sum, value) => sum + value, 0) / loss.length).toFixed(4);
  const data = recipe.collections
    .filter(({ train }) => train)
    .map(({ name }) => {
      const { train, dropped, heldOut } = splits[name]!;
      return [
        name,
        String(train.length),
        String(dropped.train.length + dropped.documents.length),
        String(heldOut.length),
      ];
    });
  const quarters = [0.25, 0.5, 0.75].map((share) =>
    part(curve.loss.slice(Math.floor(share * steps)).slice(0, WINDOW)),
  );
  const shown = [part(curve.loss.slice(0, WINDOW)), ...quarters, part(curve.loss.slice(-WINDOW))];
  return [
    head?.trim() ?? `# ${recipe.name}`,
    '## Training',
    `${steps.toLocaleString('en-US')} steps, ${parameters.toLocaleString('en-US')} parameters, ${maxTokens} tokens; the loss at ` +
      `the start, at each quarter and at the end: ${shown.join(', ')}.`,
    table(['collection', 'training queries', 'dropped as near-duplicates', 'subjects held out'], data),
    ...(figures.length > 0 ? ['## Measured', RETRIEVAL_NOTE, retrievalTable(figures)] : []),
    ...against(figures),
    ...actions(figures),
    ...ranking(figures),
    ...subjects(figures),
    ...calibration(tuning),
    '',
  ].join('\n\n');
}

const RETRIEVAL_NOTE =
  'Test splits; NDCG@10 with gains 2^grade − 1 and a 95 % bootstrap interval over queries. Fused: reciprocal ranks, ' +
  'constant 60, of exact search and BM25.';

function retrievalTable(figures: readonly CollectionFigures[]): string {
  const rows = figures.map(({ collection, queries, retrieval: { dense, bm25, fused } }) => [
    `${collection}, ${queries} queries`,
    ...[dense, bm25, fused].map(shown),
  ]);
  return table(['collection', 'exact search', 'BM25', 'fused'], rows);
}

function against(figures: readonly CollectionFigures[]): string[] {
  const rows = figures.flatMap(({ collection, retrieval, against: other }) =>
    other === undefined
      ? []
      : [
          [
            collection,
            shown(other.dense),
            difference(other.difference.dense),
            `${((100 * retrieval.dense.mean) / other.dense.mean).toFixed(1)} %`,
            shown(other.fused),
            difference(other.difference.fused),
          ],
        ],
  );
  if (rows.length === 0) return [];
  const head = [
    'collection',
    'its exact search',
    'this one less it',
    'share',
    'its fused',
    'this one less it',
  ];
  return ['Against the other embedder, on the same queries in the same run:', table(head, rows)];
}

function actions(figures: readonly CollectionFigures[]): string[] {
  const rows = figures.flatMap(({ collection, actions: byAction = {} }) =>
    Object.entries(byAction).map(([action, { similarity, score, gain }]) => [
      `${collection}, ${similarity.count} pages`,
      action,
      shown(similarity),
      shown(score),
      difference(gain),
    ]),
  );
  if (rows.length === 0) return [];
  return [
    'Area under the ROC curve of simulated actions on each test page, in any order, by the similarity alone and by the ' +
      'score of a search, which has the attributes of `features.json` in it if there are some:',
    table(['collection', 'action', 'similarity', 'score', 'difference'], rows),
  ];
}

function ranking(figures: readonly CollectionFigures[]): string[] {
  const ranked = figures.filter(({ ranking }) => ranking);
  if (ranked.length === 0) return [];
  const rows = ranked.map(({ collection, ranking }) => {
    const { fused, alone, blended, gain, relevanceTeacher } = ranking!;
    return [
      collection,
      shown(fused),
      shown(alone),
      shown(blended),
      difference(gain),
      relevanceTeacher ? shown(relevanceTeacher) : '',
    ];
  });
  const { finalists, blend } = ranked[0]!.ranking!;
  const head = [
    'collection',
    'fused',
    'ranker alone',
    'blended',
    'blended less fused',
    'relevance teacher alone',
  ];
  const areas = ranked.flatMap(({ collection, ranking }) =>
    Object.entries(ranking!.auc ?? {}).map(([action, { student, teacher, fused, events }]) => [
      collection,
      action,
      String(events),
      student.toFixed(4),
      teacher?.toFixed(4) ?? '',
      fused.toFixed(4),
    ]),
  );
  return [
    `Ranking of the ${finalists} best of the fused lists; the blend weight ${blend} was chosen on dev queries.`,
    table(head, rows),
    ...(areas.length > 0
      ? [
          'Area under the ROC curve of simulated actions on test pages in any order:',
          table(['collection', 'action', 'events', 'student', 'engagement teacher', 'fused score'], areas),
        ]
      : []),
  ];
}

function subjects(figures: readonly CollectionFigures[]): string[] {
  const rows = figures.flatMap(({ collection, subjects: parts }) =>
    parts
      ? [
          [
            collection,
            `${shown(parts.seen)} (${parts.seen.count})`,
            `${shown(parts.unseen)} (${parts.unseen.count})`,
          ],
        ]
      : [],
  );
  if (rows.length === 0) return [];
  const head = ['collection', 'subjects that training queries had', 'subjects that they had not'];
  return ['By subject, of the last stage (queries in brackets):', table(head, rows)];
}

function calibration(tuning: Tuning | undefined): string[] {
  const rows = Object.entries(tuning?.calibration ?? {}).map(([objective, { error, views }]) => [
    objective,
    String(views),
    error.before.toFixed(4),
    error.after.toFixed(4),
  ]);
  if (rows.length === 0) return [];
  return [
    '`calibration.json` maps scores to probabilities (isotonic regression on one half of the dev queries); expected ' +
      'calibration error on the other half:',
    table(['objective', 'pairs', 'as the model says', 'calibrated'], rows),
  ];
}

const shown = ({ mean, low, high }: Figure): string => `${digits(mean)} [${digits(low)}, ${digits(high)}]`;
const digits = (value: number): string => value.toFixed(3).replace(/^0/, '');
const signed = (value: number): string => `${value < 0 ? '−' : '+'}${digits(Math.abs(value))}`;
const difference = ({ mean, low, high }: Figure): string =>
  `${signed(mean)} [${signed(low)}, ${signed(high)}]`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
