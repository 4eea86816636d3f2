/** The first `limit` characters of a text, `…` in place of the rest; no character is cut in two. */
export function head(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const end = /[\ud800-\udbff]/.test(text[limit - 1]!) ? limit - 1 : limit;
  return `${text.slice(0, end)}…`;
}
