const NOUNS = ['river', 'sea', 'lake', 'harbour', 'ship', 'bridge', 'island', 'tide'];

/** Words that the tiny models cut into letters; document `i` is about noun `i % 8`. */
export const nouns: readonly string[] = NOUNS;

export const documents = Array.from({ length: 300 }, (_, i) => ({
  id: `d${i}`,
  title: `${NOUNS[i % 8]} ${i}`,
  text: `The ${NOUNS[i % 8]} number ${i} lies near the ${NOUNS[(i * 3 + 1) % 8]}. `.repeat(4),
  metadata: { kind: NOUNS[i % 8], size: i, seen: `2026-01-${String(1 + (i % 28)).padStart(2, '0')}` },
}));
