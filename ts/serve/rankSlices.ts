import type { FastifyReply, FastifyRequest } from 'fastify';
import { SeineError } from '../core/errors.ts';
import type { Searcher } from '../core/types.ts';
import type { RankText } from '../rankTexts.ts';
import { admitted } from './admitted.ts';
import type { Service } from './service.ts';
import { SliceSizer } from './sliceSizer.ts';
import { sliceEnd, textUnits } from './slices.ts';

export interface RankQuestion {
  query: string;
  documents: RankText[];
  searcher?: Searcher | undefined;
  /** Milliseconds for waiting and ranking: documents that it does not reach get no score. */
  deadlineMs?: number | undefined;
  /** Tokens of each document that are read at most; then `tokens` counts them. */
  maxTokens?: number | undefined;
  /** Called after a slice of which the ranker read only heads; if it throws, the other documents are not read. */
  onTruncated?: (() => void) | undefined;
}

export interface RankedSlices {
  /** `[documents]`: logits; NaN where the deadline came first. */
  scores: Float32Array;
  ranked: number;
  cached: number;
  truncated: number;
  queryTruncated: boolean;
  /** Of all documents, if `maxTokens` was given. */
  tokens: number;
  workload: string;
  /** Milliseconds of waiting for turns, and of ranking. */
  waitMs: number;
  rankMs: number;
}

/** Shared by all requests: the ranker is as fast for one as for another. */
const sizers = new WeakMap<Service, SliceSizer>();
/** Units of the first slice, before anything has been measured. */
const FIRST_UNITS = 4096;

/**
 * Scores documents slice by slice, each of which is admitted by itself, so that others come in between; only the first
 * may be refused.
 */
export async function rankSlices(
  service: Service,
  request: FastifyRequest,
  reply: FastifyReply,
  { query, documents, searcher, deadlineMs, maxTokens, onTruncated }: RankQuestion,
): Promise<RankedSlices> {
  const started = performance.now();
  const sizer = sizers.get(service) ?? new SliceSizer(FIRST_UNITS);
  sizers.set(service, sizer);
  const units = documents.map((document) =>
    typeof document === 'string' ? textUnits(document) : textUnits(document.text, document.title),
  );
  const done: RankedSlices = {
    scores: new Float32Array(documents.length).fill(Number.NaN),
    ranked: 0,
    cached: 0,
    truncated: 0,
    queryTruncated: false,
    tokens: 0,
    workload: '',
    waitMs: 0,
    rankMs: 0,
  };
  let start = 0;
  do {
    const slice = sliceEnd(units, start, sizer.units);
    const end = Math.min(slice.end, documents.length);
    const spent = start === 0 ? 0 : performance.now() - started;
    const left = deadlineMs === undefined ? undefined : deadlineMs - spent;
    if (left !== undefined && left <= 0) break;
    try {
      await admitted(service, request, reply, { deadlineMs: left, begun: start > 0 }, async (turn) => {
        const begun = performance.now();
        const part = await service.index.rank(query, documents.slice(start, end), {
          searcher,
          maxTokens,
          deadlineMs: turn.deadlineMs,
          signal: turn.signal,
        });
        if (part.truncated > 0 || part.queryTruncated) onTruncated?.();
        const ms = performance.now() - begun;
        // What came from the cache says nothing about the speed of the ranker.
        if (part.cached === 0 && part.ranked === end - start && end > start) sizer.observe(slice.units, ms);
        done.scores.set(part.scores, start);
        done.ranked += part.ranked;
        done.cached += part.cached;
        done.truncated += part.truncated;
        done.queryTruncated ||= part.queryTruncated;
        done.tokens += part.tokens?.reduce((sum, count) => sum + count, 0) ?? 0;
        done.workload = turn.workload;
        done.waitMs += turn.waitMs;
        done.rankMs += ms;
      });
    } catch (error) {
      // The caller's deadline ends the ranking, it does not undo it.
      if (start > 0 && error instanceof SeineError && error.code === 'ERR_DEADLINE') break;
      throw error;
    }
    start = end;
  } while (start < documents.length);
  return done;
}
