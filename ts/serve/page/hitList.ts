import type { Grades } from './grades.ts';
import { type HitCard, hitCard } from './hitCard.ts';
import { scaleOf } from './scorePicture.ts';
import type { SearchRequest, WireHit } from './wire.ts';

/** The hits of one search, page after page, and which of them has the focus. */
export class HitList {
  readonly #element: HTMLOListElement;
  readonly #grades: Grades;
  readonly #graded: () => void;
  #request: SearchRequest = { query: '' };
  #cards: HitCard[] = [];
  #hits: WireHit[] = [];

  /** `graded` is called after each grade. */
  constructor(element: HTMLOListElement, grades: Grades, graded: () => void) {
    this.#element = element;
    this.#grades = grades;
    this.#graded = graded;
  }

  get length(): number {
    return this.#hits.length;
  }

  /** Shows the first hits of a search; its depth is the one that they were ranked at. */
  show(hits: WireHit[], request: SearchRequest): void {
    this.clear();
    this.#request = request;
    this.append(hits);
  }

  /** Adds a page. A document that moved down meanwhile, so that it comes again, is left out. */
  append(hits: WireHit[]): void {
    const request = this.#request;
    const known = new Set(this.#hits.map(({ id }) => id));
    const added = hits.filter(({ id }) => !known.has(id));
    this.#hits.push(...added);
    const scale = scaleOf(this.#hits);
    for (const card of this.#cards) card.rescale(scale);
    const given = this.#grades.of(request.query);
    const cards = added.map((hit) =>
      hitCard(hit, {
        scale,
        request,
        given: given.get(hit.id),
        save: (grade) => {
          this.#grades.set(request.query, hit.id, grade);
          this.#graded();
        },
      }),
    );
    this.#cards.push(...cards);
    this.#element.append(...cards.map(({ element }) => element));
  }

  /** Shows the grades as they are kept now: they may have been given in another tab. */
  regrade(): void {
    const given = this.#grades.of(this.#request.query);
    for (const [i, card] of this.#cards.entries()) card.showGrade(given.get(this.#hits[i]!.id));
  }

  clear(): void {
    this.#cards = [];
    this.#hits = [];
    this.#element.replaceChildren();
  }

  at(position: number): HitCard | undefined {
    return this.#cards.at(position);
  }

  /** The hit that has the focus, or something in it. */
  current(): HitCard | undefined {
    return this.#cards.find(({ element }) => element.contains(document.activeElement));
  }

  /** Moves the focus; without one, to the first hit. False if there is no hit there. */
  move(step: 1 | -1): boolean {
    const current = this.current();
    const at = current === undefined ? 0 : this.#cards.indexOf(current) + step;
    const next = at < 0 ? undefined : this.#cards[Math.min(at, this.#cards.length - 1)];
    next?.title.focus();
    next?.element.scrollIntoView({ block: 'nearest' });
    return next !== undefined;
  }

  /** Moves the focus to the hit with this id, if it is shown. */
  goTo(id: string): void {
    const card = this.#cards[this.#hits.findIndex((hit) => hit.id === id)];
    card?.title.focus();
    card?.element.scrollIntoView({ block: 'start' });
  }
}
