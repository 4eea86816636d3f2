import { styleText } from 'node:util';
import type {
  DenseExplanation,
  DocumentReading,
  Explanation,
  FilterClause,
  ListPlace,
  QueryReading,
} from '../core/explanation.ts';
import { printable, significant } from './hits.ts';

/** Widest text of a value that is shown. */
const WIDEST = 60;

/** An explanation as people read it: the reason, then a block for each stage in the order of the search. */
export function explanationText(explanation: Explanation, colour: boolean): string {
  const bold = (text: string) => (colour ? styleText('bold', text) : text);
  const dim = (text: string) => (colour ? styleText('dim', text) : text);
  const { id, title, reason, filter, retrieval, ranking } = explanation;
  const heading = title === undefined ? [] : [bold(printable(title))];
  const blocks: [name: string, lines: string[]][] = [];
  if (filter !== undefined) blocks.push(['filter', clauseLines(filter)]);
  if (retrieval?.dense !== undefined) {
    const { model, score, features, query, document } = retrieval.dense;
    const lines = [
      `${features === undefined ? 'cosine' : 'score'} ${significant(score)}, ${placeText(retrieval.dense)}`,
      ...(features === undefined ? [] : [featuresText(features)]),
    ];
    blocks.push([`vectors (${printable(model)})`, [...lines, ...readings(query, document)]]);
  }
  if (retrieval?.bm25 !== undefined) {
    const { bm25 } = retrieval;
    const { has, lacks } = bm25.words;
    const score = bm25.matches
      ? `score ${significant(bm25.score!)}, ${placeText(bm25 as ListPlace)}`
      : 'no match';
    const words = [...has.map((word) => `+${word}`), ...lacks.map((word) => `−${word}`)];
    blocks.push(['words (BM25)', [score, ...(words.length > 0 ? [words.map(printable).join(' ')] : [])]]);
  }
  if (retrieval?.fusion !== undefined) {
    const { constant, addends, sum } = retrieval.fusion;
    const terms = addends.map(
      ({ list, rank }) => `1/(${constant} + ${rank}) ${list === 'dense' ? 'vectors' : 'words'}`,
    );
    blocks.push(['fusion', [`${terms.join(' + ') || 'in no list'} = ${significant(sum)}`]]);
  }
  if (ranking !== undefined) {
    const { model, read, logit, rankerZ, retrievalZ, blend, score, before, after, query, document } = ranking;
    const rest = significant(1 - blend);
    blocks.push([
      `ranker (${printable(model)})`,
      [
        `rank ${before} → ${after} of the ${read} that it read, logit ${significant(logit)}`,
        `${significant(blend)} · ${significant(rankerZ)} (ranker) + ${rest} · ${significant(retrievalZ)} (retrieval) = ` +
          significant(score),
        ...readings(query, document),
      ],
    ]);
  }
  return [
    [...heading, dim(printable(id))].join('  '),
    reason,
    ...blocks.flatMap(([name, lines]) => ['', bold(name), ...lines.map((line) => `  ${line}`)]),
  ].join('\n');
}

/** What a score with weighted attributes is the sum of. */
function featuresText({ similarity, attributes }: NonNullable<DenseExplanation['features']>): string {
  const addends = attributes.map(({ attribute, value, addend }) => {
    const known = value === null ? 'none' : significant(value);
    return `${signed(addend)} ${printable(attribute)} (${known})`;
  });
  return [`${significant(similarity)} from the cosine`, ...addends].join(' ');
}

const signed = (value: number): string => `${value < 0 ? '−' : '+'} ${significant(Math.abs(value))}`;

function placeText({ rank, of, listed }: ListPlace): string {
  return `rank ${rank} of ${of}${listed ? '' : ', beyond the end of the list'}`;
}

/** How much of query and document a model reads. */
function readings(query: QueryReading, document: DocumentReading): string[] {
  const { start, end } = document.text;
  return [
    `reads ${tokens(query)} of the query`,
    `reads ${tokens(document)} of the document: characters ${start} to ${end} of its text`,
  ];
}

function tokens({ kept, cut }: { kept: number; cut: number }): string {
  return cut === 0 ? `all ${kept} tokens` : `${kept} of ${kept + cut} tokens`;
}

/** A tree of clauses: what holds, what does not, and the document's value. */
function clauseLines({ operator, attribute, wanted, value, passes, clauses = [] }: FilterClause): string[] {
  const mark = passes ? '✓' : '✗';
  const compared = attribute === undefined ? '' : ` ${printable(attribute)}`;
  const asked = wanted === undefined ? '' : ` ${valueText(wanted)}`;
  const has = attribute === undefined ? '' : `: ${value === null ? 'no value' : valueText(value)}`;
  return [
    `${mark} ${operator}${compared}${asked}${has}`,
    ...clauses.flatMap((clause) => clauseLines(clause).map((line) => `  ${line}`)),
  ];
}

function valueText(value: unknown): string {
  const text = printable(JSON.stringify(value));
  return text.length > WIDEST ? `${text.slice(0, WIDEST)}…` : text;
}
