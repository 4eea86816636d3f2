import { count, milliseconds } from './figures.ts';
import type { Info, SearchAnswer } from './wire.ts';

/** What was done for an answer, in one line. */
export function summary(answer: SearchAnswer, info: Info | undefined, roundTrip: number): string {
  const { generation, device, workload, depth, ranked, cached, truncated, queryTruncated } = answer;
  const ofThem = [
    cached > 0 && `${count(cached)} from the cache`,
    truncated > 0 && `${count(truncated)} read in part`,
  ].filter(Boolean);
  const bounds = info?.workloads[workload]?.depth;
  const ranking =
    info !== undefined && info.ranker === undefined
      ? ['no ranker']
      : [
          `${count(ranked)} ranked${ofThem.length > 0 ? ` (${ofThem.join(', ')})` : ''}`,
          `depth ${count(depth)}${bounds === undefined ? '' : ` of ${bounds.least}–${bounds.greatest}`}`,
        ];
  const facts = [
    ...ranking,
    device,
    `workload ${workload}`,
    `generation ${count(generation)}`,
    queryTruncated && 'only the head of the query was read',
  ];
  return ` in ${milliseconds(roundTrip)} ms · ${facts.filter(Boolean).join(' · ')}`;
}
