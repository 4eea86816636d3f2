import { styleText } from 'node:util';
import type { Highlight, Hit, StageScores } from '../core/types.ts';

/** Whether `stream` shows colours; NO_COLOR and dumb terminals are honoured. */
export function showsColour(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && stream.hasColors();
}

const STAGES: (keyof StageScores)[] = ['dense', 'bm25', 'fused', 'ranker'];

/** A hit as people read it: rank, title and id; scores by stage; snippet with the words of the query marked. */
export function hitText(hit: Hit, colour: boolean): string {
  const bold = (text: string) => (colour ? styleText('bold', text) : text);
  const dim = (text: string) => (colour ? styleText('dim', text) : text);
  const scores = STAGES.filter((stage) => hit.scores[stage] !== undefined).map(
    (stage) => `${stage} ${significant(hit.scores[stage]!)}`,
  );
  const heading = hit.title === undefined || hit.title === '' ? [] : [bold(printable(hit.title))];
  const lines = [
    `${hit.rank}. ${[...heading, dim(printable(hit.id))].join('  ')}`,
    dim(`   ${scores.join(' · ')}`),
  ];
  if (hit.snippet !== '') {
    const mark = (text: string) => (colour ? styleText(['bold', 'yellow'], text) : text);
    lines.push(`   ${highlighted(hit.snippet, hit.highlights, mark)}`);
  }
  return lines.join('\n');
}

function highlighted(snippet: string, highlights: Highlight[], mark: (text: string) => string): string {
  const text = printable(snippet);
  let result = '';
  let from = 0;
  for (const { start, end } of highlights) {
    result += text.slice(from, start) + mark(text.slice(start, end));
    from = end;
  }
  return result + text.slice(from);
}

/** Control characters become blanks one by one: documents cannot steer a terminal, and offsets stay. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ');
}

/** Four digits that count. */
export function significant(score: number): string {
  return String(Number(score.toPrecision(4)));
}
