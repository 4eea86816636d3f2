import { lines, MAX_LINE_BYTES } from '../../core/lines.ts';
import type { Entry } from './record.ts';

const NAMED = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['nbsp', ' '],
]);

/** Elements of web collections that say how a page was fetched. */
const ENVELOPE = new Set(['dochdr', 'docoldno']);
const TITLES = ['title', 'headline', 'head', 'hl', 'h3', 'ti'];

/**
 * Reads `<DOC>` elements as the TREC collections have them. A record has the elements of the document by their
 * lower-case names, tags inside them removed and character references resolved; `docno`, `title` (or a
 * headline) and `text`, which is all else where no element has that name.
 */
export async function* trec(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Entry, void, undefined> {
  let pending: { line: number; texts: string[]; length: number; error: string | undefined } | undefined;
  for await (const { line, text: whole, error } of lines(chunks)) {
    let text = whole;
    const opens = /<DOC>/i.exec(text);
    if (opens !== null) {
      if (pending !== undefined) yield unclosed(pending.line);
      pending = { line, texts: [], length: 0, error: undefined };
      text = text.slice(opens.index + opens[0].length);
    }
    if (pending === undefined) {
      if (error !== undefined) yield { line, error };
      else if (text.trim() !== '') yield { line, error: 'stands outside <DOC> and </DOC>' };
      continue;
    }
    if (error !== undefined) {
      pending.error ??= line === pending.line ? error : `goes on in line ${line}, which ${error}`;
    }
    const closes = /<\/DOC>/i.exec(text);
    const inside = closes === null ? text : text.slice(0, closes.index);
    pending.length += inside.length;
    if (pending.length > MAX_LINE_BYTES) {
      pending.error ??= `opens a document that is longer than ${MAX_LINE_BYTES} characters`;
      pending.texts = [];
    } else {
      pending.texts.push(inside);
    }
    if (closes === null) continue;
    yield pending.error === undefined
      ? { line: pending.line, record: elements(pending.texts.join('\n')) }
      : { line: pending.line, error: pending.error };
    pending = undefined;
  }
  if (pending !== undefined) yield unclosed(pending.line);
}

function unclosed(line: number): Entry {
  return { line, error: 'opens a <DOC> that is not closed' };
}

function elements(source: string): Record<string, unknown> {
  const found = new Map<string, string>();
  const outer = [...outerElements(source)];
  for (const { name, content } of outer) {
    const text = plain(content);
    const before = found.get(name);
    if (text !== '' && !ENVELOPE.has(name))
      found.set(name, before === undefined ? text : `${before}\n${text}`);
  }
  const title = TITLES.find((name) => found.has(name));
  if (title !== undefined && title !== 'title') {
    found.set('title', found.get(title)!);
    found.delete(title);
  }
  if (found.has('text')) return Object.fromEntries(found);

  const apart = ['docno', title, ...ENVELOPE];
  let body = '';
  let from = 0;
  for (const { start, end } of outer.filter(({ name }) => apart.includes(name))) {
    body += `${source.slice(from, start)} `;
    from = end;
  }
  const named = [...found].filter(([name]) => name === 'docno' || name === 'title');
  return Object.fromEntries([...named, ['text', plain(body + source.slice(from))]]);
}

interface Element {
  name: string;
  /** Where it starts and ends in the source, tags included. */
  start: number;
  end: number;
  content: string;
}

/** Elements with a start and an end tag that are not inside another one. Each source is passed over once a name. */
function* outerElements(source: string): Generator<Element, void, undefined> {
  const opening = /<([a-z][\w-]*)(?:\s[^<>]*)?>/gi;
  const endless = new Set<string>();
  for (let tag = opening.exec(source); tag !== null; tag = opening.exec(source)) {
    const name = tag[1]!.toLowerCase();
    if (endless.has(name)) continue;
    const closing = new RegExp(`</${name}\\s*>`, 'gi');
    closing.lastIndex = opening.lastIndex;
    const close = closing.exec(source);
    if (close === null) {
      endless.add(name);
      continue;
    }
    const content = source.slice(opening.lastIndex, close.index);
    opening.lastIndex = closing.lastIndex;
    yield { name, start: tag.index, end: closing.lastIndex, content };
  }
}

/** Text without tags and comments, character references resolved, blanks trimmed. */
function plain(markup: string): string {
  // The patterns stop at the next start, so that what is never closed takes no quadratic time.
  return markup
    .replace(/<!--(?:(?!<!--)[\s\S])*?-->/g, ' ')
    .replace(/<\/?[a-z][^<>]*>/gi, ' ')
    .replace(/&(?:#(\d+)|#x([\da-f]+)|([a-z]+));/gi, (whole, decimal, hex, name) => {
      if (name !== undefined) return NAMED.get(name.toLowerCase()) ?? whole;
      const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
      const legal = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
      return legal ? String.fromCodePoint(code) : whole;
    })
    .trim();
}
