import * as api from './api.ts';
import { comparison } from './comparison.ts';
import { html } from './dom.ts';
import { page } from './elements.ts';
import { count, plural } from './figures.ts';
import type { Grades } from './grades.ts';
import { HitList } from './hitList.ts';
import { Latest } from './latest.ts';
import type { Notice } from './notice.ts';
import { summary } from './summary.ts';
import { timeBar } from './timeBar.ts';
import type { Info, SearchAnswer, SearchRequest } from './wire.ts';

/** Hits that come at a time. One more is asked for: it says whether any follow. */
const PAGE = 10;
export const ASKED = PAGE + 1;

/** What is shown of one search. */
export interface Found {
  answer: SearchAnswer;
  /** The same search without ranking, if it is to be compared with. */
  before: SearchAnswer | undefined;
  request: SearchRequest;
  /** Milliseconds until it was here. */
  roundTrip: number;
}

/** What has been found: the hits page after page, what was done for them, before and after ranking. */
export class Results {
  readonly list: HitList;
  readonly #notice: Notice;
  readonly #paging = new Latest();
  readonly #headline = html('strong');
  #request: SearchRequest = { query: '' };
  #offset = 0;
  #notes: string[] = [];
  #describe: (info: Info | undefined) => void = () => {};

  /** `graded` is called after each grade. */
  constructor(grades: Grades, notice: Notice, graded: () => void) {
    this.list = new HitList(page.hits, grades, graded);
    this.#notice = notice;
    page.more.addEventListener('click', () => this.#loadMore());
  }

  show({ answer, before, request, roundTrip }: Found): void {
    const { hits, depth } = answer;
    // Pages and explanations are asked for at the depth of the list that they belong to.
    this.#request = { ...request, k: ASKED, depth };
    this.#offset = PAGE;
    this.list.show(hits.slice(0, PAGE), this.#request);
    this.#notes = [];
    this.#describe = (info) => {
      page.status.replaceChildren(this.#headline, summary(answer, info, roundTrip), ...this.#notes);
      page.times.replaceChildren(timeBar(answer, info === undefined || info.ranker !== undefined));
    };
    page.summary.hidden = false;
    this.#tell(hits.length > PAGE);
    const compared =
      before === undefined || hits.length === 0
        ? []
        : [comparison(before.hits, hits, (id) => this.list.goTo(id))];
    page.comparison.hidden = compared.length === 0;
    page.comparison.replaceChildren(...compared);
  }

  /** Says what was done for what is shown; what is known of the index is part of it, and may come later. */
  describe(info: Info | undefined): void {
    this.#describe(info);
  }

  clear(): void {
    this.#describe = () => {};
    this.list.clear();
    page.comparison.hidden = true;
    page.comparison.replaceChildren();
    page.more.hidden = true;
    page.summary.hidden = true;
    page.said.textContent = '';
  }

  /** Another search begins: no page of this one is to come any more. */
  stop(): void {
    this.#paging.stop();
    setBusy(false);
  }

  /** Says how many hits are shown, in the summary and to screen readers. */
  #tell(more: boolean): void {
    const { length } = this.list;
    page.more.hidden = !more;
    this.#headline.textContent = more ? `Best ${count(length)}` : plural(length, 'hit');
    const said = length === 0 ? 'Nothing found' : plural(length, 'hit');
    if (page.said.textContent !== said) page.said.textContent = said;
  }

  #loadMore(): void {
    if (page.more.ariaDisabled === 'true') return;
    const request = { ...this.#request, offset: this.#offset };
    setBusy(true);
    this.#notice.asking();
    this.#paging.start(
      (signal) => api.search(request, signal),
      ({ hits, depth }) => {
        setBusy(false);
        this.#notice.clear();
        const first = this.list.length;
        this.list.append(hits.slice(0, PAGE));
        this.#offset += PAGE;
        if (depth !== request.depth) {
          this.#notes.push(` · from hit ${first + 1} on ranked at depth ${count(depth)}`);
          page.status.append(this.#notes.at(-1)!);
        }
        (this.list.at(first) ?? this.list.at(-1))?.title.focus();
        this.#tell(hits.length > PAGE);
      },
      (error) => {
        setBusy(false);
        this.#notice.show(error, () => this.#loadMore());
      },
    );
  }
}

/** The button keeps the focus while it does nothing, so it is not disabled in the way of HTML. */
function setBusy(busy: boolean): void {
  page.more.ariaDisabled = String(busy);
}
