import Type, { type Static } from 'typebox';
import type { FilterExpression } from '../core/types.ts';

/** What all failures look like, outside the dialects. */
export const ErrorReply = Type.Object(
  {
    error: Type.Object(
      {
        code: Type.String({ description: 'Stable name of the kind of failure.' }),
        message: Type.String({ description: 'One sentence: what was expected, what came, what to do.' }),
        requestId: Type.String({ description: 'Also in the header x-request-id and in the log.' }),
      },
      { additionalProperties: true },
    ),
  },
  { description: 'A failure. 429 and 503 bear Retry-After.' },
);

/** The failures of a route, as OpenAPI lists them. */
export const failures = { '4xx': ErrorReply, '5xx': ErrorReply };

/** Bytes that a request takes at most that holds a question and no documents. */
export const QUESTION_BYTES = 4 * 2 ** 20;

const count = (description: string) => Type.Integer({ minimum: 0, description });
const milliseconds = (description: string) => Type.Number({ description: `${description}, ms.` });

export const Retrieve = Type.Enum(['dense', 'bm25', 'fused'], {
  description: 'How documents are found: by vectors, by words, or by both; fused by default.',
});

/** Checked as it is evaluated: its errors name the place. */
export const Filter = Type.Unsafe<FilterExpression>({
  type: 'object',
  additionalProperties: true,
  description:
    'A condition over attributes: { eq: [name, value] }, in, lt, lte, gt, gte, exists, near, and, or, not. ' +
    'Dates are ISO 8601 text.',
  examples: [{ and: [{ eq: ['city', 'Bern'] }, { gte: ['posted', '2026-01-01'] }] }],
});

export const Searcher = Type.Object(
  {
    id: Type.String({ description: 'Scores are kept apart by it.' }),
    version: Type.String({ description: 'Of the profile: another one makes scores anew.' }),
    profile: Type.String({ description: 'What the ranker reads of the searcher, after the query.' }),
  },
  { additionalProperties: false, description: 'Who asks: ranks for this person.' },
);

export const DeadlineMs = Type.Number({
  exclusiveMinimum: 0,
  description:
    'Milliseconds for waiting and ranking: what would have to wait longer is refused; then ranking stops, and ' +
    'documents that it did not reach follow in the order of retrieval.',
});

export const Workload = Type.String({ description: 'The class of work that this was counted under.' });
export const RequestId = Type.String({ description: 'Also in the header x-request-id.' });

const StageScores = Type.Object(
  {
    dense: Type.Optional(
      Type.Number({
        description:
          'Cosine of the best passage, with what attributes add to it if the embedder weighs some.',
      }),
    ),
    bm25: Type.Optional(Type.Number()),
    fused: Type.Optional(Type.Number()),
    ranker: Type.Optional(Type.Number({ description: 'Logit of the cross-encoder.' })),
  },
  { description: 'Scores by stage; a stage that did not see the document is left out.' },
);

export const HitFields = {
  id: Type.String(),
  rank: Type.Integer({ description: '1 is best; counts from the first hit of the first page.' }),
  score: Type.Number({ description: 'What decided the order: of the last stage that ran.' }),
  scores: StageScores,
  title: Type.Optional(Type.String()),
  snippet: Type.String({ description: 'Plain text, not HTML.' }),
  highlights: Type.Array(Type.Object({ start: Type.Integer(), end: Type.Integer() }), {
    description: 'Half-open ranges of UTF-16 code units in the snippet.',
  }),
};

export const RankCounts = {
  ranked: count('Documents that have a score of the ranker.'),
  cached: count('Of these, scores that had been made before, or that equal work under way made.'),
  truncated: count('Documents of which the ranker read only the head.'),
  queryTruncated: Type.Boolean({ description: 'Whether a model read only the head of the query.' }),
};

export const SearchTimings = Type.Object(
  {
    wait: milliseconds('Waiting for a slot'),
    understand: milliseconds('Understanding the query'),
    retrieve: milliseconds('Finding documents'),
    rank: milliseconds('Ranking them'),
    respond: milliseconds('Reading them and making snippets'),
    total: milliseconds('Everything, waiting included'),
  },
  { description: 'Milliseconds by stage.' },
);

export const RankTimings = Type.Object({
  wait: milliseconds('Waiting for slots'),
  rank: milliseconds('Ranking'),
  total: milliseconds('Everything, waiting included'),
});

export const UpsertCounts = {
  inserted: count('Documents whose id was new.'),
  updated: count('Documents that replaced one with the same id.'),
  unchanged: count('Documents that were stored with the same content already.'),
  tokens: count('Tokens that went through the embedder.'),
  truncated: count('Vectors of which the text was cut to the length that the embedder reads.'),
};

export const Generation = count(
  'Rises with every change of the index; what was written is visible from here on.',
);

export type UpsertCounts = Static<ReturnType<typeof countsObject>>;
const countsObject = () => Type.Object(UpsertCounts);
