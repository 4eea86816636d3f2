import type { RunEntry } from '../../core/types.ts';
import { type Cell, type Column, escapeHtml, table } from '../../report/html.ts';
import type { Evaluation } from './evaluate.ts';
import { difference, digits } from './figureText.ts';
import { rankedGrades } from './rankedGrades.ts';
import type { AgainstInput, ReportQueries } from './reportInput.ts';

const SHOWN_RESULTS = 10;

/** The queries with the lowest values of the first metric; those for which nothing is relevant are left aside. */
export function worstQueries(evaluation: Evaluation, input: ReportQueries, most: number): string {
  const metric = evaluation.metrics[0]!;
  const all = [...evaluation.queries].map(([query, values]) => ({
    query,
    value: values[metric]!,
    ranking: rankedGrades(input.ranking.get(query) ?? [], input.qrels.get(query)!),
  }));
  const able = all.filter(({ ranking }) => ranking.relevant > 0);
  const worst = able
    .sort(
      (a, b) => a.value - b.value || b.ranking.relevant - a.ranking.relevant || (a.query < b.query ? -1 : 1),
    )
    .slice(0, most);
  const columns: Column[] = [
    { title: 'Query' },
    { title: metric, numeric: true },
    { title: 'First relevant at', numeric: true },
    { title: 'Found', numeric: true },
    { title: `Grades of the first ${SHOWN_RESULTS}` },
    { title: 'Best that is missing or lowest' },
  ];
  const rows = worst.map(({ query, value, ranking }): Cell[] => {
    const entries = input.ranking.get(query) ?? [];
    const first = ranking.grades.findIndex((grade) => grade !== undefined && grade > 0);
    const found = ranking.grades.filter((grade) => grade !== undefined && grade > 0).length;
    return [
      queryCell(query, input.texts),
      digits(value),
      first < 0 ? 'none' : String(first + 1),
      `${found} / ${ranking.relevant}`,
      { html: gradeChips(entries, input.qrels.get(query)!) },
      overlooked(entries, input.qrels.get(query)!),
    ];
  });
  const aside = all.length - able.length;
  const note =
    aside === 0 ? '' : `<p class="hint">Left aside, as nothing is relevant for them: ${aside}.</p>`;
  return note + table(columns, rows);
}

/** The queries that gained and lost most, of `changes` sorted by falling difference. */
export function changedQueries(
  input: ReportQueries,
  against: AgainstInput,
  changes: { name: string; value: number }[],
  most: number,
): string {
  const metric = against.evaluation.metrics[0]!;
  const columns: Column[] = [
    { title: 'Query' },
    { title: 'Against', numeric: true },
    { title: 'Difference', numeric: true },
  ];
  const list = (title: string, part: { name: string; value: number }[], tone: string): string => {
    if (part.length === 0) return `<div><h3>${title}</h3><p class="quiet">None.</p></div>`;
    const rows = part.map(({ name, value }): Cell[] => [
      queryCell(name, input.texts),
      digits(against.evaluation.queries.get(name)![metric]!),
      { html: `<span class="${tone}">${difference(value)}</span>` },
    ]);
    return `<div><h3>${title}</h3>${table(columns, rows)}</div>`;
  };
  const gains = changes.filter(({ value }) => value > 0).slice(0, most);
  const losses = changes
    .filter(({ value }) => value < 0)
    .slice(-most)
    .reverse();
  return (
    '<div class="columns below">' +
    `${list('Largest losses', losses, 'bad')}${list('Largest gains', gains, 'good')}</div>`
  );
}

function queryCell(query: string, texts: Map<string, string> | undefined): Cell {
  const text = texts?.get(query);
  if (text === undefined) return query;
  const short = text.length > 200 ? `${[...text].slice(0, 200).join('')}…` : text;
  return { html: `${escapeHtml(short)}<br><small>${escapeHtml(query)}</small>` };
}

/** Grades by rank; a dot is a document that nobody judged, and pointing at a grade tells its document. */
function gradeChips(entries: RunEntry[], judgements: Map<string, number>): string {
  const chips = entries.slice(0, SHOWN_RESULTS).map(({ id }, i) => {
    const grade = judgements.get(id);
    const relevant = grade !== undefined && grade > 0 ? ' relevant' : '';
    return `<span class="grade${relevant}" title="${i + 1}. ${escapeHtml(id)}">${grade ?? '·'}</span>`;
  });
  return chips.length === 0
    ? '<span class="quiet">no results</span>'
    : `<span class="grades">${chips.join('')}</span>`;
}

/** The document with the highest grade that stands lowest or is not there. */
function overlooked(entries: RunEntry[], judgements: Map<string, number>): string {
  const ranks = new Map(entries.map(({ id }, i) => [id, i + 1]));
  const rankOf = (id: string): number => ranks.get(id) ?? Number.POSITIVE_INFINITY;
  let worst: [id: string, grade: number] | undefined;
  for (const [id, grade] of judgements) {
    if (grade <= 0 || (worst !== undefined && grade < worst[1])) continue;
    if (worst === undefined || grade > worst[1] || rankOf(id) > rankOf(worst[0])) worst = [id, grade];
  }
  if (worst === undefined) return '';
  const rank = ranks.get(worst[0]);
  return `${worst[0]} (grade ${worst[1]}${rank === undefined ? ', not found' : `, rank ${rank}`})`;
}
