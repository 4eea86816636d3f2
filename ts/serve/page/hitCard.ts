import * as api from './api.ts';
import { button, html } from './dom.ts';
import { explanationView } from './explanationView.ts';
import { gradeButtons } from './gradeButtons.ts';
import { type Scale, scorePicture } from './scorePicture.ts';
import { clipped, highlighted, valueText } from './texts.ts';
import type { SearchRequest, WireHit } from './wire.ts';

const [TITLE, SNIPPET, VALUE, TEXT] = [160, 700, 80, 1500];

export interface HitCard {
  element: HTMLLIElement;
  /** What has the focus while a reader goes from hit to hit. */
  title: HTMLButtonElement;
  grade(grade: number): void;
  /** Whether the details are shown. */
  isOpen(): boolean;
  toggle(): void;
}

interface HitContext {
  scale: Scale;
  /** The search that found it. */
  request: SearchRequest;
  given: number | undefined;
  save: (grade: number | undefined) => void;
}

/** A hit: title, passage, attributes, scores and grade; opened, also its whole text and why it stands there. */
export function hitCard(hit: WireHit, { scale, request, given, save }: HitContext): HitCard {
  const name = hit.title ?? hit.id;
  const heading = name.length > TITLE ? `${name.slice(0, TITLE)}…` : name;
  const title = button(html('bdi', { dir: 'auto' }, heading), () => toggle(), {
    class: 'title',
    'aria-expanded': 'false',
  });
  const grades = gradeButtons(given, save);
  const details = html('div', { class: 'details', hidden: true });
  const isOpen = (): boolean => !details.hidden;
  let controller = new AbortController();

  const toggle = (): void => {
    details.hidden = !details.hidden;
    title.setAttribute('aria-expanded', String(isOpen()));
    controller.abort();
    controller = new AbortController();
    if (isOpen()) void fillDetails(details, hit, request, controller.signal);
  };

  const element = html(
    'li',
    { class: 'hit' },
    html('span', { class: 'rank', 'aria-hidden': 'true' }, String(hit.rank)),
    html(
      'div',
      { class: 'body' },
      html('h3', {}, title),
      html('p', { class: 'passage' }, passage(hit)),
      attributeList(hit),
    ),
    html('div', { class: 'side' }, scorePicture(hit.scores, scale), grades.element),
    details,
  );
  return { element, title, grade: grades.toggle, isOpen, toggle };
}

function passage({ snippet, highlights }: WireHit): HTMLElement {
  return snippet.length > SNIPPET ? clipped(snippet, SNIPPET) : highlighted(snippet, highlights);
}

function attributeList({ attributes }: WireHit): HTMLElement | undefined {
  const shown = Object.entries(attributes).filter(([, value]) => value !== null);
  if (shown.length === 0) return undefined;
  const items = shown.map(([name, value]) =>
    html('div', {}, html('dt', {}, clipped(name, VALUE)), html('dd', {}, clipped(valueText(value), VALUE))),
  );
  return html('dl', { class: 'attributes' }, ...items);
}

async function fillDetails(
  details: HTMLElement,
  hit: WireHit,
  { query, retrieve, filter }: SearchRequest,
  signal: AbortSignal,
): Promise<void> {
  details.replaceChildren(html('p', { class: 'quiet' }, 'Asking…'));
  const asked = { query, id: hit.id, ...(retrieve && { retrieve }), ...(filter && { filter }) };
  const [whole, reasons] = await Promise.allSettled([
    api.document(hit.id, signal),
    api.explain(asked, signal),
  ]);
  if (signal.aborted) return;
  const text = whole.status === 'fulfilled' ? clipped(whole.value.text, TEXT) : trouble(whole.reason);
  const why = reasons.status === 'fulfilled' ? explanationView(reasons.value) : trouble(reasons.reason);
  details.replaceChildren(
    html('section', {}, html('h4', {}, 'Whole text'), html('p', { class: 'text' }, text)),
    html('section', {}, html('h4', {}, 'Why it stands here'), why),
    html('p', { class: 'quiet' }, 'Document ', html('code', {}, clipped(hit.id, VALUE))),
  );
}

const trouble = (error: unknown): HTMLElement =>
  html('span', { class: 'trouble' }, error instanceof Error ? error.message : String(error));
