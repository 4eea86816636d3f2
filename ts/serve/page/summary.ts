import { html } from './dom.ts';
import { count, milliseconds, plural } from './figures.ts';
import type { SearchAnswer } from './wire.ts';

/** What was done for an answer, in one line. */
export function summary(answer: SearchAnswer, shown: number, roundTrip: number): (HTMLElement | string)[] {
  const { generation, device, workload, depth, ranked, cached, truncated, queryTruncated } = answer;
  const ofThem = [
    cached !== undefined && cached > 0 && `${count(cached)} from the cache`,
    truncated > 0 && `${count(truncated)} read in part`,
  ].filter(Boolean);
  const facts = [
    `${count(ranked)} ranked${ofThem.length > 0 ? ` (${ofThem.join(', ')})` : ''}`,
    depth !== undefined && `depth ${count(depth)}`,
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
