import type { FilterExpression, RetrieveMode } from '../../core/types.ts';
import { buildFilter, type Filters, readFilter } from './filters.ts';

/** What the page shows: all of it stands in its address, behind the `#`, which no server or proxy is sent. */
export interface View {
  query: string;
  filters: Filters;
  retrieve: RetrieveMode;
  /** Before and after ranking, side by side. */
  compare: boolean;
}

const MODES: RetrieveMode[] = ['fused', 'dense', 'bm25'];

/** The view that a fragment names (`#q=…`, or an empty text); what it does not say has its default. */
export function readView(fragment: string): View {
  const params = new URLSearchParams(fragment.slice(1));
  const retrieve = MODES.find((mode) => mode === params.get('retrieve')) ?? 'fused';
  return {
    query: params.get('q') ?? '',
    filters: readFilter(parse(params.get('filter'))),
    retrieve,
    compare: params.get('compare') === '1',
  };
}

/** The fragment that names a view: `#q=…`, or an empty text for the view that the page starts with. */
export function fragmentOf({ query, filters, retrieve, compare }: View): string {
  const params = new URLSearchParams();
  const filter = buildFilter(filters);
  if (query !== '') params.set('q', query);
  if (filter !== undefined) params.set('filter', JSON.stringify(filter));
  if (retrieve !== 'fused') params.set('retrieve', retrieve);
  if (compare) params.set('compare', '1');
  const text = params.toString();
  return text === '' ? '' : `#${text}`;
}

/** A filter that is no JSON object cannot have been made here: there is none then. */
function parse(json: string | null): FilterExpression | undefined {
  if (json === null) return undefined;
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as FilterExpression) : undefined;
  } catch {
    return undefined;
  }
}
