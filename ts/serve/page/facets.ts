import type { AttributeType } from '../../core/types.ts';
import * as api from './api.ts';
import { button, html, keepFocus } from './dom.ts';
import { type FacetGroup, facetGroups } from './facetPanel.ts';
import { buildFilter, type Choice, choose, type Filters, noFilters } from './filters.ts';
import { Latest } from './latest.ts';
import type { FacetCounts } from './wire.ts';

const EXPLAINED = 'The figures count documents of the index that pass the other filters, whatever is asked.';

/** The filter controls, with counts over all documents that pass what is chosen elsewhere. */
export class Facets {
  readonly #element: HTMLElement;
  readonly #home: HTMLElement;
  readonly #choose: (name: string, choice: Choice) => void;
  readonly #settled: () => void;
  readonly #latest = new Latest();
  #groups: FacetGroup[] = [];
  #filters = noFilters();
  /** Attributes whose counts are there or on their way. */
  #counted: string[] = [];
  #shape = '';

  /**
   * `settled` is called when counts have come, or could not be had; `home` gets the focus that was on something which
   * has gone.
   */
  constructor(
    element: HTMLElement,
    home: HTMLElement,
    choose: (name: string, choice: Choice) => void,
    settled: () => void,
  ) {
    this.#element = element;
    this.#home = home;
    this.#choose = choose;
    this.#settled = settled;
  }

  /** Makes the controls for an index's attributes, unless they are there. */
  setAttributes(attributes: Record<string, AttributeType>): void {
    const shape = JSON.stringify(attributes);
    if (shape === this.#shape) return;
    this.#shape = shape;
    this.#groups = facetGroups(attributes, this.#choose);
    const told = this.#groups.length > 0 ? EXPLAINED : 'The documents have no attributes to filter by.';
    this.#fill(html('p', { class: 'quiet' }, told), ...this.#groups.map(({ element }) => element));
    for (const { name, element, countable } of this.#groups) {
      if (!countable) continue;
      element.addEventListener('toggle', () => {
        if (element.open && !this.#counted.includes(name)) this.refresh(this.#filters);
      });
    }
  }

  /** Says that the controls are missing, unless they are there. */
  fail(retry: () => void): void {
    if (this.#shape !== '') return;
    this.#fill(
      html('p', { class: 'quiet' }, 'The server has not said what to filter by.'),
      button('Try again', retry),
    );
  }

  #fill(...children: HTMLElement[]): void {
    keepFocus(
      () => this.#element.replaceChildren(...children),
      () => this.#element.querySelector<HTMLElement>('button, summary') ?? this.#home,
    );
  }

  /** Shows what is chosen and counts anew. */
  refresh(filters: Filters): void {
    this.#filters = filters;
    for (const group of this.#groups) group.show(filters, undefined);
    const names = this.#groups
      .filter(({ countable, element }) => countable && element.open)
      .map(({ name }) => name);
    this.#counted = names;
    if (names.length === 0) {
      if (this.#shape !== '') this.#settled();
      return;
    }
    this.#latest.start(
      (signal) => countFacets(names, filters, signal),
      (counts) => {
        for (const group of this.#groups) group.show(this.#filters, counts.get(group.name));
        this.#settled();
      },
      () => this.#settled(), // the search that goes with it meets the same trouble and tells it
    );
  }
}

/** Attributes that one request may count. */
const COUNTED_AT_ONCE = 100;

/**
 * Counts by attribute. Where values of an attribute are chosen, its own counts are taken without that choice: they say
 * what choosing another value as well would bring. A query without words counts and finds nothing.
 */
async function countFacets(
  names: string[],
  filters: Filters,
  signal: AbortSignal,
): Promise<Map<string, FacetCounts>> {
  const chosen = names.filter((name) => filters.choices.has(name));
  const free = names.filter((name) => !filters.choices.has(name));
  const slices = Array.from({ length: Math.ceil(free.length / COUNTED_AT_ONCE) }, (_, i) =>
    free.slice(i * COUNTED_AT_ONCE, (i + 1) * COUNTED_AT_ONCE),
  );
  const asked = [
    ...slices.map((facets) => ({ facets, filters })),
    ...chosen.map((name) => ({
      facets: [name],
      filters: choose(filters, name, { kind: 'values', values: [] }),
    })),
  ];
  const answers = await Promise.all(
    asked.map(({ facets, filters: passing }) => {
      const filter = buildFilter(passing);
      return api.search({ query: '', k: 1, facets, ...(filter && { filter }) }, signal);
    }),
  );
  return new Map(answers.flatMap(({ facets = {} }) => Object.entries(facets)));
}
