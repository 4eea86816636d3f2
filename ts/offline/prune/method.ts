/** How what is left out is chosen: by what its outputs lose, by the size of its weights, or by chance. */
export const METHODS = ['reconstruction', 'magnitude', 'random'] as const;
export type Method = (typeof METHODS)[number];
