import type { Explanation, FilterClause, JsonValue, RetrievalExplanation } from '../../core/explanation.ts';

/** Why a document stands where it does, in one sentence. */
export function reason(explanation: Omit<Explanation, 'reason'>, settings: { depth: number }): string {
  const { id, filter, retrieval, ranking } = explanation;
  if (explanation.outcome === 'noDocument') return `There is no document with the id ${brief(id)}.`;
  if (explanation.outcome === 'noQuery') return 'The query has no text, so nothing is found.';
  if (filter !== undefined && !filter.passes) return `Filtered out: ${failure(filter)}.`;
  if (explanation.outcome === 'notRetrieved') return `Not retrieved: ${misses(retrieval!)}.`;
  if (ranking !== undefined) {
    const { before, after, logit, rankerZ, read } = ranking;
    const side = rankerZ < 0 ? 'below' : 'above';
    const moved =
      after === before
        ? 'left it there'
        : `moved it ${after < before ? 'up' : 'down'} from rank ${before} of retrieval`;
    return (
      `Rank ${after}: the ranker ${moved}, with a logit of ${short(logit)}, ${short(Math.abs(rankerZ))} ` +
      `standard deviations ${side} the mean of the ${count(read, 'document')} that it read.`
    );
  }
  const { rank } = explanation;
  const after =
    settings.depth >= rank!
      ? 'there is no ranker'
      : settings.depth === 0
        ? 'with a depth of 0 the ranker reads nothing'
        : `the ranker reads only the best ${settings.depth}`;
  return `Rank ${rank}: retrieval put it there${places(retrieval!)}, and ${after}.`;
}

function places({ mode, dense, bm25 }: RetrievalExplanation): string {
  if (mode !== 'fused') return mode === 'dense' ? ' by vectors' : ' by words';
  const parts = [
    ...(dense?.listed ? [`rank ${dense.rank} by vectors`] : []),
    ...(bm25?.listed ? [`rank ${bm25.rank} by words`] : []),
  ];
  return ` (${parts.join(', ')})`;
}

function misses({ dense, bm25, listLength }: RetrievalExplanation): string {
  const ranks = [
    ...(dense ? [`rank ${dense.rank} by vectors`] : []),
    ...(bm25?.matches ? [`rank ${bm25.rank} by words`] : []),
  ];
  return [
    ...(ranks.length > 0 ? [`it is ${ranks.join(' and ')}, and a list ends at ${listLength}`] : []),
    ...(bm25?.matches === false ? ['it has no word of the query'] : []),
  ].join(', and ');
}

/** The first clause on the way down that fails by itself. */
function failure(clause: FilterClause): string {
  const { path, operator, attribute, wanted, value, clauses } = clause;
  if (operator === 'and') return failure(clauses!.find(({ passes }) => !passes)!);
  if (operator === 'or') return `nothing of ${path} holds`;
  if (operator === 'not') return `what ${path} excludes holds`;
  const has = value === null ? 'it has no value' : `its value is ${brief(value!)}`;
  return wanted === undefined
    ? `${path} asks for the attribute ${brief(attribute!)}, and ${has}`
    : `${path} compares the attribute ${brief(attribute!)} with ${brief(wanted)}, and ${has}`;
}

function brief(value: JsonValue): string {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

const short = (value: number): string => String(Number(value.toPrecision(3)));

const count = (many: number, noun: string): string => (many === 1 ? `1 ${noun}` : `${many} ${noun}s`);
