import Type, { type Static } from 'typebox';
import type { Random } from '../../core/random.ts';

const probability = (description: string, value: number) =>
  Type.Number({ minimum: 0, maximum: 1, description, default: value });

/** Parameters of the click model; docs/distillation.md says what they mean and what the model cannot say. */
export const ClickModelSchema = Type.Object(
  {
    sessions: Type.Integer({ minimum: 1, default: 20, description: 'Pages that are shown for a query.' }),
    page: Type.Integer({ minimum: 1, default: 10, description: 'Documents of a page.' }),
    decay: Type.Number({
      minimum: 0,
      default: 1,
      description: 'Position p is examined with probability p^-decay.',
    }),
    shuffled: probability('Share of the pages that are shown in any order, to learn of positions.', 0.2),
    noise: probability('Probability that a document without attraction is clicked when examined.', 0.02),
    relevance: Type.Number({ minimum: 0, default: 1, description: 'Weight of the grade, 0 to 1.' }),
    attributes: Type.Record(Type.String(), Type.Number(), {
      default: {},
      description:
        'Weights of hidden attributes of documents: fields of metadata that are numbers, their z-scores, or true or false.',
    }),
    bias: Type.Number({ default: -1.5, description: 'Log-odds of a click without grade and attributes.' }),
    apply: probability('Probability that the most attractive document is applied for when clicked.', 0.4),
    dismiss: probability('Probability that the least attractive document is dismissed when examined.', 0.1),
  },
  { additionalProperties: false },
);

export type ClickModel = Static<typeof ClickModelSchema>;

/** What was done with a document of a query at a position. */
export interface Impressions {
  query: string;
  document: string;
  /** From 1. */
  position: number;
  /** Times that it was shown there. */
  shown: number;
  /** Action -> times. */
  actions: Record<string, number>;
  /** Whether the pages were in any order, so that positions say nothing of documents. */
  shuffled: boolean;
}

/** What the model draws. */
export const ACTIONS = ['click', 'apply', 'dismiss'] as const;
export type Action = (typeof ACTIONS)[number];

/** A page for a query: documents in the order of retrieval, with what attracts. */
export interface Page {
  query: string;
  documents: readonly {
    id: string /** 0 to 1 */;
    relevance: number /** Sum of the weighted attributes. */;
    pull: number;
  }[];
}

/** Probability that a document is clicked once it is examined: `σ(bias + 4 · relevance weight · (grade − ½) + pull)`. */
export function attractiveness(
  { bias, relevance: weight, noise }: ClickModel,
  { relevance, pull }: Page['documents'][number],
): number {
  const chance = 1 / (1 + Math.exp(-(bias + 4 * weight * (relevance - 0.5) + pull)));
  return noise + (1 - noise) * chance;
}

/** Probability that a position is examined. */
export const examination = ({ decay }: Pick<ClickModel, 'decay'>, position: number): number =>
  position ** -decay;

/**
 * Draws what users do with pages (a position-based model, M. Richardson et al., 2007): a document is clicked if its position
 * is examined and it attracts; a click may become an application; an examined document without attraction may be
 * dismissed. Counts by query, document, position and whether the page was shuffled.
 */
export function drawImpressions(pages: readonly Page[], model: ClickModel, random: Random): Impressions[] {
  const all: Impressions[] = [];
  for (const { query, documents } of pages) {
    const counted = new Map<string, Impressions>();
    const shown = documents.slice(0, model.page);
    for (let session = 0; session < model.sessions; session++) {
      const shuffled = random.next() < model.shuffled;
      const order = shuffled ? random.shuffle([...shown]) : shown;
      for (const [i, document] of order.entries()) {
        const key = `${document.id}\0${i}\0${shuffled}`;
        let entry = counted.get(key);
        if (entry === undefined) {
          const actions = Object.fromEntries(ACTIONS.map((name) => [name, 0]));
          entry = { query, document: document.id, position: i + 1, shown: 0, actions, shuffled };
          counted.set(key, entry);
        }
        entry.shown++;
        if (random.next() >= examination(model, i + 1)) continue;
        const attracts = attractiveness(model, document);
        if (random.next() < attracts) {
          entry.actions.click!++;
          if (random.next() < model.apply * attracts) entry.actions.apply!++;
        } else if (random.next() < model.dismiss * (1 - attracts)) entry.actions.dismiss!++;
      }
    }
    all.push(...counted.values());
  }
  return all;
}
