/** What a query asks for, as far as it is understood. */
export interface Understood {
  /** The text that retrieval and ranking read. */
  text: string;
}

/** Longer queries are cut: no model reads as much, and folding megabytes would hold up the event loop. */
const MOST_UNITS = 100_000;

/** Passes the query through, white space folded. Intent, facets and rewriting belong here. */
export function understand(query: string): Understood {
  return { text: query.slice(0, MOST_UNITS).trim().replace(/\s+/g, ' ') };
}
