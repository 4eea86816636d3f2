import { Address } from './address.ts';
import * as api from './api.ts';
import { chips } from './chips.ts';
import { button, html, keepFocus } from './dom.ts';
import { page } from './elements.ts';
import { Facets } from './facets.ts';
import { plural } from './figures.ts';
import { buildFilter, choose, type Filters, noFilters } from './filters.ts';
import { gradePanel } from './gradePanel.ts';
import { GRADES_KEY, Grades } from './grades.ts';
import { Keeper } from './keeper.ts';
import { installKeys } from './keys.ts';
import { Latest } from './latest.ts';
import { Notice } from './notice.ts';
import { ASKED, type Found, Results } from './results.ts';
import type { View } from './view.ts';
import { exampleQueries, welcome } from './welcome.ts';
import type { Info, SearchRequest } from './wire.ts';

/** Hits that are asked for to see how ranking moved them: as many as it reads unless told otherwise. */
const COMPARED = 50;
const [DEBOUNCE_MS, SPINNER_MS, INFORM_MS] = [60, 150, 1000];

const { input, retrieve, compare, filterButton, aside, spinner, help, main } = page;

const grades = new Grades(new Keeper(() => localStorage));
const notice = new Notice(page.notice, main);
const [searching, informing] = [new Latest(), new Latest()];
const results = new Results(grades, notice, showGrades);
const facets = new Facets(
  page.facets,
  page.filtersTitle,
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
  clearTimeout(debounce);
  searching.stop(); // what is under way has been overtaken
  page.clear.hidden = view.query === '';
  if (!typing) showControls();
  if (typing) debounce = setTimeout(() => run(true), DEBOUNCE_MS);
  else run();
}

function showControls(): void {
  if (input.value !== view.query) input.value = view.query;
  page.clear.hidden = view.query === '';
  retrieve.value = view.retrieve;
  compare.setAttribute('aria-pressed', String(view.compare));
  const shown = chips(view.filters, (filters: Filters) => update({ filters }));
  const at = [...page.chips.children].indexOf(document.activeElement as Element);
  keepFocus(
    () => page.chips.replaceChildren(...shown),
    () => shown[Math.min(at, shown.length - 1)] ?? main,
  );
  const chosen = buildFilter(view.filters) === undefined ? 0 : page.chips.querySelectorAll('.chip').length;
  filterButton.textContent = chosen === 0 ? 'Filters' : `Filters (${chosen})`;
  facets.refresh(view.filters);
}

/** Whether before and after ranking are to be seen: where nothing ranks, they are the same. */
const compares = (): boolean => view.compare && (about === undefined || about.ranker !== undefined);

function requestOf({ query, filters, retrieve: mode }: View): SearchRequest {
  const k = compares() ? COMPARED : ASKED;
  return { query: query.trim(), k, retrieve: mode, filter: buildFilter(filters) };
}

function run(typing = false): void {
  clearTimeout(debounce);
  address.write(view, typing);
  notice.asking();
  results.stop();
  if (about === undefined) inform();
  const request = requestOf(view);
  document.title = request.query === '' ? 'Seine' : `${request.query.slice(0, 60)} – Seine`;
  if (request.query === '') {
    searching.stop();
    setWaiting(false);
    notice.clear();
    results.clear();
    showWelcome();
    return;
  }
  keepFocus(
    () => {
      page.welcome.hidden = true;
    },
    () => main,
  );
  setWaiting(true);
  const started = performance.now();
  searching.start(
    (signal) =>
      Promise.all([
        api.search(request, signal),
        compares() ? api.search({ ...request, depth: 0 }, signal) : undefined,
      ]),
    ([answer, before]) => {
      setWaiting(false);
      notice.clear();
      showFound({ answer, before, request, roundTrip: performance.now() - started });
    },
    (error) => {
      setWaiting(false);
      results.clear();
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

function showFound(found: Found): void {
  keepFocus(
    () => results.show(found),
    () => main,
  );
  results.describe(about);
  const { hits, generation } = found.answer;
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

function showWelcome(): void {
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
    results.list.regrade();
    showGrades();
  };
  keepFocus(
    () => page.grades.replaceChildren(...gradePanel(grades, cleared)),
    () => page.gradesTitle,
  );
  const given = grades.count().grades;
  page.graded.hidden = given === 0;
  page.graded.textContent = `${plural(given, 'grade')} · Download`;
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
      if (examples.length === 0 && known.documents > 0) examples = await exampleQueries();
      return known;
    },
    (known) => {
      about = known;
      results.describe(about);
      page.about.textContent = plural(known.documents, 'document');
      facets.setAttributes(known.attributes);
      facets.refresh(view.filters);
      compare.hidden = known.ranker === undefined;
      if (compare.hidden && view.compare) run();
      if (view.query.trim() !== '') return;
      notice.clear();
      showWelcome();
    },
    (error) => {
      facets.fail(inform);
      showSides();
      if (view.query.trim() === '') notice.show(error, retry);
    },
  );
}

/** Closes what is open, innermost first; last of all it leaves the hits for the search box. */
function close(): boolean {
  const current = results.list.current();
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

/** On narrow screens, where the column at the side unfolds between the search and the hits. */
function showAside(open: boolean): void {
  filterButton.setAttribute('aria-expanded', String(open));
  keepFocus(
    () => aside.classList.toggle('open', open),
    () => filterButton,
  );
}

input.addEventListener('input', () => update({ query: input.value }, true));
page.form.addEventListener('submit', (event) => {
  event.preventDefault();
  update({ query: input.value });
});
page.clear.addEventListener('click', () => {
  update({ query: '' });
  input.focus();
});
retrieve.addEventListener('change', () => update({ retrieve: retrieve.value as View['retrieve'] }));
compare.addEventListener('click', () => update({ compare: !view.compare }));
filterButton.addEventListener('click', () => showAside(!aside.classList.contains('open')));
page.showHits.addEventListener('click', () => {
  showAside(false);
  main.focus();
});
page.graded.addEventListener('click', () => {
  showAside(true);
  page.grades.querySelector('button')?.focus();
});
page.helpButton.addEventListener('click', () => help.showModal());
page.helpClose.addEventListener('click', () => help.close());
installKeys({
  search: input,
  help,
  list: page.hits,
  move: (step) => results.list.move(step),
  grade: (grade) => results.list.current()?.grade(grade),
  close,
});
addEventListener('storage', ({ key }) => {
  if (key !== null && key !== GRADES_KEY) return;
  results.list.regrade();
  showGrades();
});

showControls();
showGrades();
run();
if (view.query === '') input.focus();
