/** The models that come with Seine. */
export const DEFAULT_EMBEDDER = 'seine-embed-small';
export const DEFAULT_RANKER = 'seine-rank-small';
