import { button, html } from './dom.ts';
import { plural } from './figures.ts';
import type { Grades } from './grades.ts';

/** How much was graded, and the files that come of it. */
export function gradePanel(grades: Grades, changed: () => void): HTMLElement[] {
  const { grades: given, queries } = grades.count();
  if (given === 0) {
    return [
      html(
        'p',
        {},
        'Grade hits from 0 to 3: they become relevance files for ',
        html('code', {}, 'seine evaluate'),
        '.',
      ),
    ];
  }
  const { text, left } = grades.qrels();
  const told = `${plural(given, 'grade')} for ${queries === 1 ? '1 query' : `${queries} queries`}${grades.lasting ? ', kept in this browser.' : '.'}`;
  const fleeting =
    'Grades cannot be kept here: the browser gives this page no room. They last until it is closed.';
  const lost = `${plural(left, 'grade')} cannot be written: TREC files take no document ids with white space.`;
  return [
    html('p', {}, told),
    ...(grades.lasting ? [] : [html('p', { class: 'trouble' }, fleeting)]),
    ...(left > 0 ? [html('p', { class: 'trouble' }, lost)] : []),
    button('Download relevance', () => download('qrels.trec', text)),
    button('Download queries', () => download('queries.jsonl', grades.queries())),
    button(
      'Clear grades',
      () => {
        if (!confirm(`Take back ${plural(given, 'grade')}?`)) return;
        grades.clear();
        changed();
      },
      { class: 'link' },
    ),
  ];
}

function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = html('a', { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
