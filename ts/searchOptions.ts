import { SeineError, show } from './core/errors.ts';
import type { FilterExpression, RetrieveMode } from './core/types.ts';
import { checkRequest, type RequestOptions } from './requestOptions.ts';
import type { Plan } from './search.ts';

export interface SearchIndexOptions extends RequestOptions {
  /** Hits wanted, 10 by default. */
  k?: number | undefined;
  /** Hits to leave out from the front, 0 by default: for paging. */
  offset?: number | undefined;
  /** How many of the best retrieved documents the ranker reads, 50 by default; 0 leaves them as retrieved. */
  depth?: number | undefined;
  /** `fused` by default. */
  retrieve?: RetrieveMode | undefined;
  filter?: FilterExpression | undefined;
  /** Attributes (keyword, set, boolean) whose values are to be counted over all documents that pass the filter. */
  facets?: string[] | undefined;
}

const OPTIONS = ['k', 'offset', 'depth', 'retrieve', 'filter', 'facets', 'searcher', 'deadlineMs', 'signal'];
/** A search whose result is to be explained: `k` and `offset` count as the lists of retrieval are longer for them. */
export type ExplainOptions = Omit<SearchIndexOptions, 'facets' | 'deadlineMs'>;

const EXPLAIN_OPTIONS = OPTIONS.filter((name) => name !== 'facets' && name !== 'deadlineMs');
const MODES: RetrieveMode[] = ['dense', 'bm25', 'fused'];

/** Checks the options of a search and fills in the defaults; ERR_ARGUMENT names what is wrong. */
export function planOf(options: SearchIndexOptions): Plan {
  return checked(options, OPTIONS);
}

/** The same for an explanation. */
export function explainPlanOf(options: ExplainOptions): Plan {
  return checked(options, EXPLAIN_OPTIONS);
}

function checked(options: SearchIndexOptions, names: readonly string[]): Plan {
  const request = checkRequest(options, names);
  const { k = 10, offset = 0, depth = 50, retrieve = 'fused', filter, facets = [] } = options;
  expectWhole('k', k, 1);
  expectWhole('offset', offset, 0);
  expectWhole('depth', depth, 0);
  if (!MODES.includes(retrieve)) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `retrieve must be one of ${MODES.join(', ')}, got ${show(retrieve)}.`,
    );
  }
  if (!Array.isArray(facets) || facets.some((name) => typeof name !== 'string')) {
    throw new SeineError('ERR_ARGUMENT', `facets must be an array of attribute names, got ${show(facets)}.`);
  }
  return { k, offset, depth, retrieve, filter, facets, ...request };
}

function expectWhole(name: string, value: unknown, least: number): void {
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > 2 ** 31) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `${name} must be a whole number of ${least} or more, got ${show(value)}.`,
    );
  }
}
