import * as api from './api.ts';
import { button, html } from './dom.ts';
import { plural } from './figures.ts';
import type { Info, WireHit } from './wire.ts';

const [EXAMPLES, LONGEST] = [5, 90];
/** Every document has a distance to it. */
const ANYTHING = 'a useful thing to know';

/** What the page says before anything is asked: what can be, with examples from the index itself. */
export function welcome(
  { documents, ranker }: Info,
  examples: string[],
  ask: (query: string) => void,
): HTMLElement[] {
  if (documents === 0) {
    const line = `curl ${new URL('documents', location.href).href} -H 'content-type: application/json' -d '{"id": "1", "title": "…", "text": "…"}'`;
    return [
      html('h3', {}, 'The index holds no documents yet'),
      html('p', {}, 'Add some: they can be found as soon as the server has acknowledged them.'),
      html('pre', {}, line),
    ];
  }
  const rows = examples.map((example) =>
    html(
      'li',
      {},
      button(html('bdi', { dir: 'auto' }, example), () => ask(example)),
    ),
  );
  return [
    html('h3', {}, `Search ${plural(documents, 'document')} by what they mean`),
    html(
      'p',
      {},
      'Ask in your own words: a name, a question, a description. Every document is compared with what you ask, ' +
        `${ranker === undefined ? '' : 'the best are read again by a ranker, '}and each hit shows what every stage made of it.`,
    ),
    ...(rows.length > 0 ? [html('h4', {}, 'From these documents'), html('ol', {}, ...rows)] : []),
  ];
}

/** Texts that the index has something to say to: the beginnings of documents that lie apart from each other. */
export async function exampleQueries(): Promise<string[]> {
  const { hits } = await api.search({ query: ANYTHING, k: 100, depth: 0, retrieve: 'dense' });
  const step = Math.max(1, Math.floor(hits.length / EXAMPLES));
  const texts = hits.filter((_, i) => i % step === 0).map(beginning);
  return [...new Set(texts)].filter((text) => text !== '').slice(0, EXAMPLES);
}

/** The passage's first sentence or clause, cut at a word. */
function beginning({ snippet, title }: WireHit): string {
  const [clause = ''] = snippet.trim().split(/[.;!?\n](?:\s|$)/);
  const text = clause === '' ? (title ?? '') : clause;
  if (text.length <= LONGEST) return text;
  const cut = text.slice(0, LONGEST);
  return cut.slice(0, Math.max(cut.lastIndexOf(' '), 1));
}
