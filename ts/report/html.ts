import { STYLE } from './style.ts';

/** Text as HTML, in content and in attributes alike; control characters, which HTML forbids, show as U+FFFD. */
export function escapeHtml(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to be found
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '\ufffd')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&#39;')
  );
}

/** A cell: plain text, which is escaped, or HTML made by this room. */
export type Cell = string | { html: string };

export interface Column {
  title: string;
  /** Right-aligned, in figures of one width. */
  numeric?: boolean;
}

export function table(columns: Column[], rows: Cell[][]): string {
  const attribute = (i: number): string => (columns[i]?.numeric ? ' class="number"' : '');
  const head = columns
    .map(({ title }, i) => `<th scope="col"${attribute(i)}>${escapeHtml(title)}</th>`)
    .join('');
  const body = rows.map((row) => `<tr>${row.map((cell, i) => td(cell, attribute(i))).join('')}</tr>`);
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table></div>`;
}

function td(cell: Cell, attribute: string): string {
  return `<td${attribute}>${typeof cell === 'string' ? escapeHtml(cell) : cell.html}</td>`;
}

export const paragraph = (text: string): string => `<p>${escapeHtml(text)}</p>`;

/** A part of a page with its heading; `body` is HTML. */
export function section(title: string, body: string): string {
  return `<section><h2>${escapeHtml(title)}</h2>\n${body}\n</section>`;
}

/** Headline figures side by side. */
export function figures(items: { label: string; value: string; note?: string }[]): string {
  const cards = items.map(({ label, value, note }) => {
    const small = note === undefined ? '' : `<small>${escapeHtml(note)}</small>`;
    return `<div class="card"><span>${escapeHtml(label)}</span><strong>${escapeHtml(value)}</strong>${small}</div>`;
  });
  return `<div class="cards">${cards.join('')}</div>`;
}

/**
 * A whole page that stands alone: style inside, no script, nothing loaded from anywhere, which its content policy
 * forbids too. `body` is HTML; follows the reader's choice of light or dark.
 */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
}
