import { html } from './dom.ts';
import { count, milliseconds, plural } from './figures.ts';
import type { SearchAnswer } from './wire.ts';

/** What was done for an answer, in one line. */
export function summary(answer: SearchAnswer, shown: number, roundTrip: number): (HTMLElement | string)[] {
  const { generation, device, workload, depth, ranked, cached, truncated, queryTruncated } = answer;
  const ranking = [
    `${count(ranked)} ranked`,
    depth !== undefined && `depth ${count(depth)}`,
    cached !== undefined && cached > 0 && `${count(cached)} from the cache`,
    truncated > 0 && `${count(truncated)} read by their head only`,
  ];
  const facts = [
    ranking.filter(Boolean).join(', '),
    device,
    workload !== undefined && `workload ${workload}`,
    `generation ${count(generation)}`,
    queryTruncated === true && 'only the head of the query was read',
  ];
  return [
    html('strong', {}, plural(shown, 'hit')),
    ` in ${milliseconds(roundTrip)} ms · ${facts.filter(Boolean).join(' · ')}`,
  ];
}
