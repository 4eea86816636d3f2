import type { Explanation, FilterClause, TokenCounts } from '../../core/explanation.ts';
import { type Child, html } from './dom.ts';
import { count, score } from './figures.ts';
import { clipped } from './texts.ts';

const LONGEST = 300;

/** Why a document stands where it does: the sentence, then what each stage made of it. */
export function explanationView(explanation: Explanation): HTMLElement {
  const { reason, filter, retrieval, ranking } = explanation;
  const rows: [name: string, ...parts: Child[]][] = [];
  if (filter !== undefined) rows.push(['filter', ...clauseLines(filter)]);
  if (retrieval?.dense !== undefined) {
    const { rank, of, score: sum, features, model, query, document } = retrieval.dense;
    const addends = (features?.attributes ?? []).map(
      ({ attribute, addend }) => `${score(addend)} for ${attribute}`,
    );
    rows.push([
      'dense',
      line(`rank ${count(rank)} of ${count(of)}, ${features ? 'score' : 'cosine'} ${score(sum)}`),
      ...(features ? [line([`${score(features.similarity)} for the cosine`, ...addends].join(' + '))] : []),
      line(`${model} read ${tokens(query)} of the query, ${tokens(document)} of the passage`),
    ]);
  }
  if (retrieval?.bm25 !== undefined) {
    const { rank, of, score: points, words } = retrieval.bm25;
    const place = rank === undefined ? 'no word of the query' : `rank ${count(rank)} of ${count(of ?? 0)}`;
    rows.push([
      'BM25',
      line(points === undefined ? place : `${place}, score ${score(points)}`),
      line('has ', list(words.has)),
      line('lacks ', list(words.lacks)),
    ]);
  }
  if (retrieval?.fusion !== undefined) {
    const { constant, addends, sum } = retrieval.fusion;
    const terms = addends.map(
      ({ list: name, rank }) => `1 ∕ (${constant} + ${rank}) for ${name === 'bm25' ? 'BM25' : name}`,
    );
    rows.push(['fused', line(terms.length > 0 ? `${terms.join(' + ')} = ${score(sum)}` : 'in no list')]);
  }
  if (retrieval !== undefined) {
    const { rank, retrieved, passing } = retrieval;
    const place = rank === undefined ? 'not among' : `rank ${count(rank)} of`;
    rows.push([
      'retrieved',
      line(`${place} ${count(retrieved)}, from ${count(passing)} documents that pass`),
    ]);
  }
  if (ranking !== undefined) {
    const {
      model,
      read,
      logit,
      rankerZ,
      retrievalZ,
      blend,
      score: sum,
      before,
      after,
      query,
      document,
    } = ranking;
    rows.push([
      'ranker',
      line(
        `${before === after ? `rank ${after}, as before,` : `from rank ${before} to rank ${after}`} among the ${count(read)} read, logit ${score(logit)}`,
      ),
      line(
        `${score(blend)} × ${score(rankerZ)} (ranker) + ${score(1 - blend)} × ${score(retrievalZ)} (retrieval) = ${score(sum)}`,
      ),
      line(`${model} read ${tokens(query)} of the query, ${tokens(document)} of the passage`),
    ]);
  }
  const shown = rows.map(([name, ...parts]) =>
    html('div', {}, html('dt', {}, name), html('dd', {}, ...parts)),
  );
  return html(
    'div',
    { class: 'explanation' },
    html('p', {}, clipped(reason, LONGEST)),
    html('dl', {}, ...shown),
  );
}

const line = (...parts: Child[]): HTMLElement => html('div', {}, ...parts);

const list = (words: string[]): HTMLElement => clipped(words.length > 0 ? words.join(', ') : 'none', LONGEST);

function tokens({ kept, cut }: TokenCounts): string {
  return cut > 0 ? `${count(kept)} tokens (${count(cut)} cut)` : `all ${count(kept)} tokens`;
}

/** A clause a line, those inside another behind it. */
function clauseLines(clause: FilterClause, depth = 0): HTMLElement[] {
  const { operator, passes, attribute, wanted, value, clauses = [] } = clause;
  const compared =
    wanted === undefined
      ? ''
      : ` ${JSON.stringify(wanted)}; the document has ${JSON.stringify(value ?? null)}`;
  const text = `${'· '.repeat(depth)}${attribute ?? ''} ${operator}${compared}: `;
  return [
    line(
      clipped(text.trim(), LONGEST),
      ' ',
      html('span', { class: passes ? 'passes' : 'fails' }, passes ? 'passes' : 'fails'),
    ),
    ...clauses.flatMap((inner) => clauseLines(inner, depth + 1)),
  ];
}
