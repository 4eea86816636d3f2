/** Queries and first documents of about so many training lines, from all over them. */
export function sampleTexts(
  lines: readonly { query: string; documents: readonly string[] }[],
  count: number,
): string[] {
  const step = Math.max(1, Math.floor(lines.length / count));
  return lines.filter((_, i) => i % step === 0).flatMap(({ query, documents }) => [query, documents[0]!]);
}
