/** What a query asks for, as far as it is understood. */
export interface Understood {
  /** The text that retrieval and ranking read. */
  text: string;
}

/** Passes the query through, white space folded. Intent, facets and rewriting belong here. */
export function understand(query: string): Understood {
  return { text: query.trim().replace(/\s+/g, ' ') };
}
