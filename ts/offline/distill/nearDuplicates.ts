export interface Twin {
  /** Index among the texts. */
  text: number;
  /** Index among those that it is compared with. */
  other: number;
  /** Jaccard similarity of their shingles. */
  similarity: number;
}

export interface DuplicateOptions {
  /** Characters of a shingle. */
  shingle: number;
  /** From which two texts are the same, above 0 and at most 1. */
  similarity: number;
}

/**
 * Texts that are nearly the same as one of `others`, each with the most similar one: exact Jaccard similarity of the sets
 * of character shingles, over words in lower case, parted by one blank. Texts shorter than a shingle are one.
 */
export function nearDuplicates(
  texts: readonly string[],
  others: readonly string[],
  { shingle, similarity: least }: DuplicateOptions,
): Twin[] {
  const numbers = new Map<string, number>();
  const number = (part: string): number => {
    const known = numbers.get(part) ?? numbers.size;
    numbers.set(part, known);
    return known;
  };
  const setOf = (text: string): number[] => [...shingles(text, shingle)].map(number);
  const kept = others.map(setOf);
  const holders: number[][] = [];
  for (const [other, parts] of kept.entries()) {
    for (const part of parts) {
      const known = holders[part];
      if (known) known.push(other);
      else holders[part] = [other];
    }
  }
  const shared = new Uint32Array(others.length);
  const twins: Twin[] = [];
  for (const [i, text] of texts.entries()) {
    const parts = [...shingles(text, shingle)];
    const met: number[] = [];
    for (const part of parts) {
      for (const other of holders[numbers.get(part) ?? -1] ?? []) if (shared[other]!++ === 0) met.push(other);
    }
    let best: Twin | undefined;
    for (const other of met) {
      const both = shared[other]!;
      const similarity = both / (parts.length + kept[other]!.length - both);
      shared[other] = 0;
      if (similarity >= least && similarity > (best?.similarity ?? 0)) best = { text: i, other, similarity };
    }
    if (best) twins.push(best);
  }
  return twins;
}

function shingles(text: string, size: number): Set<string> {
  const plain = (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).join(' ');
  const parts = new Set<string>();
  for (let at = 0; at + size <= plain.length; at++) parts.add(plain.slice(at, at + size));
  if (parts.size === 0 && plain !== '') parts.add(plain);
  return parts;
}
