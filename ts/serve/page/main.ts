import { Address } from './address.ts';
import * as api from './api.ts';
import { chips } from './chips.ts';
import { comparison } from './comparison.ts';
import { button, html } from './dom.ts';
import { page } from './elements.ts';
import { Facets } from './facets.ts';
import { count } from './figures.ts';
import { buildFilter, choose, type Filters, noFilters } from './filters.ts';
import { gradePanel } from './gradePanel.ts';
import { Grades } from './grades.ts';
import { HitList } from './hitList.ts';
import { installKeys } from './keys.ts';
import { Latest } from './latest.ts';
import { Notice } from './notice.ts';
import { summary } from './summary.ts';
import { timeBar } from './timeBar.ts';
import type { View } from './view.ts';
import { exampleQueries, welcome } from './welcome.ts';
import type { Info, SearchAnswer, SearchRequest } from './wire.ts';

const PAGE = 10;
/** Hits that are asked for to see how ranking moved them: as many as it reads unless told otherwise. */
const COMPARED = 50;
const [DEBOUNCE_MS, SPINNER_MS, INFORM_MS] = [60, 150, 1000];

const { input, retrieve, compare, filterButton, aside, spinner, help, more } = page;

const grades = new Grades(localStorage);
const notice = new Notice(page.notice);
const [searching, paging, informing] = [new Latest(), new Latest(), new Latest()];
const list = new HitList(page.hits, grades, showGrades);
const facets = new Facets(
  page.facets,
  (name, choice) => update({ filters: choose(view.filters, name, choice) }),
  showSides,
);
const address = new Address((past) => {
  view = past;
  showControls();
  run();
});

let view = address.read();
let about: Info | undefined;
let examples: string[] = [];
let debounce: ReturnType<typeof setTimeout> | undefined;
let slow: ReturnType<typeof setTimeout> | undefined;
let informAgain: ReturnType<typeof setTimeout> | undefined;

/** Changes what is shown. While something is typed, the search waits for a short rest. */
function update(change: Partial<View>, typing = false): void {
  view = { ...view, ...change };
  address.write(view, typing);
  clearTimeout(debounce);
  searching.stop(); // what is under way has been overtaken
  if (!typing) showControls();
  if (typing) debounce = setTimeout(run, DEBOUNCE_MS);
  else run();
}

function showControls(): void {
  if (input.value !== view.query) input.value = view.query;
  retrieve.value = view.retrieve;
  compare.setAttribute('aria-pressed', String(view.compare));
  page.chips.replaceChildren(...chips(view.filters, (filters: Filters) => update({ filters })));
  facets.refresh(view.filters);
}

function requestOf({ query, filters, retrieve: mode, compare: both }: View): SearchRequest {
  const filter = buildFilter(filters);
  return { query: query.trim(), k: both ? COMPARED : PAGE, retrieve: mode, ...(filter && { filter }) };
}

function run(): void {
  clearTimeout(debounce);
  paging.stop();
  if (about === undefined) inform();
  const request = requestOf(view);
  document.title = request.query === '' ? 'Seine' : `${request.query.slice(0, 60)} – Seine`;
  if (request.query === '') {
    searching.stop();
    setWaiting(false);
    notice.clear();
    showNothing();
    void showWelcome();
    return;
  }
  page.welcome.hidden = true;
  setWaiting(true);
  const started = performance.now();
  searching.start(
    (signal) =>
      Promise.all([
        api.search(request, signal),
        view.compare ? api.search({ ...request, depth: 0 }, signal) : undefined,
      ]),
    ([answer, before]) => {
      setWaiting(false);
      notice.clear();
      showAnswer(answer, before, request, performance.now() - started);
    },
    (error) => {
      setWaiting(false);
      showNothing();
      notice.show(error, retry);
    },
  );
}

/** The spinner comes only if the answer takes its time. */
function setWaiting(waiting: boolean): void {
  clearTimeout(slow);
  const show = (on: boolean): void => {
    spinner.hidden = !on;
    for (const element of [page.hits, page.comparison]) {
      element.classList.toggle('waiting', on);
      element.setAttribute('aria-busy', String(on));
    }
  };
  if (waiting) slow = setTimeout(() => show(true), SPINNER_MS);
  else show(false);
}

function retry(): void {
  about = undefined;
  run();
}

function showNothing(): void {
  list.clear();
  page.comparison.hidden = true;
  page.comparison.replaceChildren();
  more.hidden = true;
  page.summary.hidden = true;
}

function showAnswer(
  answer: SearchAnswer,
  before: SearchAnswer | undefined,
  request: SearchRequest,
  roundTrip: number,
): void {
  const { hits, generation } = answer;
  list.show(hits.slice(0, PAGE), request);
  more.hidden = hits.length < PAGE;
  page.summary.hidden = false;
  page.status.replaceChildren(...summary(answer, list.length, roundTrip));
  page.times.replaceChildren(timeBar(answer));
  page.comparison.hidden = before === undefined || hits.length === 0;
  page.comparison.replaceChildren(...(before === undefined ? [] : [comparison(before.hits, hits)]));
  if (hits.length === 0) showNoHits();
  if (about !== undefined && generation !== about.generation) informSoon();
}

function showNoHits(): void {
  const filtered = buildFilter(view.filters) !== undefined;
  const advice = filtered
    ? html('p', {}, 'No document passes these filters and has to do with it.')
    : html('p', {}, 'Try other words, or find by meaning.');
  page.welcome.replaceChildren(
    html('h3', {}, 'Nothing found'),
    advice,
    ...(filtered ? [button('Remove the filters', () => update({ filters: noFilters() }))] : []),
  );
  page.welcome.hidden = false;
}

async function showWelcome(): Promise<void> {
  page.welcome.hidden = about === undefined;
  if (about === undefined) return;
  const ask = (query: string): void => {
    update({ query });
    input.focus();
  };
  page.welcome.replaceChildren(...welcome(about, examples, ask));
}

function showGrades(): void {
  const cleared = (): void => {
    showGrades();
    run();
  };
  page.grades.replaceChildren(...gradePanel(grades, cleared));
}

/** However often documents change, it is asked only so often what they are now. */
function informSoon(): void {
  informAgain ??= setTimeout(inform, INFORM_MS);
}

/** Learns what the index holds; the controls follow. */
function inform(): void {
  clearTimeout(informAgain);
  informAgain = undefined;
  informing.start(
    async () => {
      const known = await api.info();
      if (examples.length === 0 && known.documents > 0) {
        examples = await exampleQueries();
      }
      return known;
    },
    (known) => {
      about = known;
      page.about.textContent = `${count(known.documents)} documents`;
      facets.setAttributes(known.attributes);
      facets.refresh(view.filters);
      if (view.query.trim() !== '') return;
      notice.clear();
      void showWelcome();
    },
    (error) => {
      showSides();
      if (view.query.trim() === '') notice.show(error, retry);
    },
  );
}

function loadMore(): void {
  const request = { ...requestOf(view), k: PAGE, offset: list.length };
  more.disabled = true;
  const end = (): void => {
    more.disabled = false;
  };
  paging.start(
    (signal) => api.search(request, signal),
    ({ hits }) => {
      end();
      const first = list.length;
      list.append(hits, request);
      more.hidden = hits.length < PAGE;
      page.status.querySelector('strong')?.replaceChildren(`${count(list.length)} hits`);
      list.at(first)?.title.focus();
    },
    (error) => {
      end();
      notice.show(error, () => {
        notice.clear();
        loadMore();
      });
    },
  );
}

/** Closes what is open, innermost first; last of all it leaves the hits for the search box. */
function close(): boolean {
  const current = list.current();
  if (help.open) help.close();
  else if (current?.isOpen()) current.toggle();
  else if (aside.classList.contains('open')) showAside(false);
  else if (current !== undefined) input.focus();
  else return false;
  return true;
}

/** The column at the side appears once, whole, so that nothing in it is pushed about. */
function showSides(): void {
  aside.classList.remove('unready');
}

function showAside(open: boolean): void {
  aside.classList.toggle('open', open);
  filterButton.setAttribute('aria-expanded', String(open));
}

input.addEventListener('input', () => update({ query: input.value }, true));
page.form.addEventListener('submit', (event) => {
  event.preventDefault();
  update({ query: input.value });
});
retrieve.addEventListener('change', () => update({ retrieve: retrieve.value as View['retrieve'] }));
compare.addEventListener('click', () => update({ compare: !view.compare }));
filterButton.addEventListener('click', () => showAside(!aside.classList.contains('open')));
more.addEventListener('click', loadMore);
page.helpButton.addEventListener('click', () => help.showModal());
page.helpClose.addEventListener('click', () => help.close());
installKeys({
  search: input,
  help,
  list: page.hits,
  move: (step) => list.move(step),
  grade: (grade) => list.current()?.grade(grade),
  close,
});
addEventListener('storage', showGrades);

showControls();
showGrades();
run();
if (view.query === '') input.focus();
