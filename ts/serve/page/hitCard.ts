import * as api from './api.ts';
import { button, html } from './dom.ts';
import { explanationView } from './explanationView.ts';
import { gradeButtons } from './gradeButtons.ts';
import { nameOf } from './nameOf.ts';
import { type Scale, scorePicture } from './scorePicture.ts';
import { clipped, highlighted, valueView } from './texts.ts';
import type { SearchRequest, WireExplanation, WireHit } from './wire.ts';

const [SNIPPET, VALUE, TEXT] = [700, 80, 1500];

export interface HitCard {
  element: HTMLLIElement;
  /** What has the focus while a reader goes from hit to hit. */
  title: HTMLButtonElement;
  /** Gives the grade, or takes it back if the hit has it. */
  grade(grade: number): void;
  showGrade(grade: number | undefined): void;
  /** Draws the scores anew, for a list that has become another. */
  rescale(scale: Scale): void;
  /** Whether the details are shown. */
  isOpen(): boolean;
  toggle(): void;
}

interface HitContext {
  scale: Scale;
  /** The search that found it, with the depth that it was ranked at. */
  request: SearchRequest;
  given: number | undefined;
  save: (grade: number | undefined) => void;
}

/** A hit: title, passage, attributes, scores and grade; opened, also its whole text and why it stands there. */
export function hitCard(hit: WireHit, { scale, request, given, save }: HitContext): HitCard {
  const title = button(html('bdi', { dir: 'auto' }, nameOf(hit)), () => toggle(), {
    class: 'title',
    'aria-expanded': 'false',
  });
  const grades = gradeButtons(given, save);
  const details = html('div', { class: 'details', hidden: true });
  const isOpen = (): boolean => !details.hidden;
  let picture = scorePicture(hit, scale);
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
    html('div', { class: 'side' }, picture, grades.element),
    details,
  );
  const rescale = (changed: Scale): void => {
    const drawn = scorePicture(hit, changed);
    picture.replaceWith(drawn);
    picture = drawn;
  };
  return { element, title, grade: grades.toggle, showGrade: grades.show, rescale, isOpen, toggle };
}

function passage({ snippet, highlights }: WireHit): HTMLElement {
  return snippet.length > SNIPPET ? clipped(snippet, SNIPPET) : highlighted(snippet, highlights);
}

function attributeList({ attributes }: WireHit): HTMLElement | undefined {
  const shown = Object.entries(attributes).filter(([, value]) => value !== null);
  if (shown.length === 0) return undefined;
  const items = shown.map(([name, value]) =>
    html('div', {}, html('dt', {}, clipped(name, VALUE)), html('dd', {}, valueView(value, VALUE))),
  );
  return html('dl', { class: 'attributes' }, ...items);
}

async function fillDetails(
  details: HTMLElement,
  hit: WireHit,
  { query, retrieve, filter, depth }: SearchRequest,
  signal: AbortSignal,
): Promise<void> {
  details.replaceChildren(html('p', { class: 'quiet' }, 'Asking…'));
  const asked = { query, id: hit.id, retrieve, filter, depth };
  const [whole, reasons] = await Promise.allSettled([
    api.document(hit.id, signal),
    api.explain(asked, signal),
  ]);
  if (signal.aborted) return;
  const text = whole.status === 'fulfilled' ? clipped(whole.value.text, TEXT) : trouble(whole.reason);
  const why =
    reasons.status === 'fulfilled'
      ? html('div', {}, difference(reasons.value, hit, depth), explanationView(reasons.value))
      : trouble(reasons.reason);
  details.replaceChildren(
    html('section', {}, html('h4', {}, 'Whole text'), html('p', { class: 'text' }, text)),
    html('section', {}, html('h4', {}, 'Why it stands here'), why),
    html('p', { class: 'quiet' }, 'Document ', html('code', {}, clipped(hit.id, VALUE))),
  );
}

/** What an explanation is of, where that is not quite what the list shows. */
function difference(told: WireExplanation, { rank }: WireHit, depth?: number): HTMLElement | undefined {
  const sentences = [
    told.depth !== depth && `Explained at depth ${told.depth}; this list was ranked at ${depth}.`,
    told.rank === undefined && 'It is not found any more.',
    told.rank !== undefined && told.rank !== rank && `It would stand at rank ${told.rank} now.`,
  ].filter(Boolean);
  return sentences.length > 0 ? html('p', { class: 'trouble' }, sentences.join(' ')) : undefined;
}

const trouble = (error: unknown): HTMLElement =>
  html('span', { class: 'trouble' }, error instanceof Error ? error.message : String(error));
