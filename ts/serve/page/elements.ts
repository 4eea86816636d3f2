import { byId } from './dom.ts';

/** What `index.html` brings, by what it is for. */
export const page = {
  input: byId('query', HTMLInputElement),
  form: byId('search', HTMLFormElement),
  spinner: byId('spinner', HTMLElement),
  retrieve: byId('retrieve', HTMLSelectElement),
  compare: byId('compare', HTMLButtonElement),
  filterButton: byId('filterButton', HTMLButtonElement),
  about: byId('facts', HTMLElement),
  aside: byId('aside', HTMLElement),
  facets: byId('facets', HTMLElement),
  grades: byId('grades', HTMLElement),
  chips: byId('chips', HTMLElement),
  notice: byId('notice', HTMLElement),
  summary: byId('summary', HTMLElement),
  status: byId('status', HTMLElement),
  times: byId('times', HTMLElement),
  welcome: byId('welcome', HTMLElement),
  comparison: byId('comparison', HTMLElement),
  hits: byId('hits', HTMLOListElement),
  more: byId('more', HTMLButtonElement),
  help: byId('help', HTMLDialogElement),
  helpButton: byId('helpButton', HTMLButtonElement),
  helpClose: byId('helpClose', HTMLButtonElement),
};
