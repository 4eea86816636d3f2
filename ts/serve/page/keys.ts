/** What keys do. */
export interface KeyActions {
  search: HTMLInputElement;
  help: HTMLDialogElement;
  list: HTMLElement;
  move(step: 1 | -1): boolean;
  grade(grade: number): void;
  /** Closes what is open; false if nothing is. */
  close(): boolean;
}

/** Keys for the whole page. Those that write are left alone where something is being written. */
export function installKeys(actions: KeyActions): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const taken = writes(event.target) ? writingKey(event, actions) : key(event, actions);
    if (taken) event.preventDefault();
  });
}

function writingKey({ key, target }: KeyboardEvent, { search, move, close }: KeyActions): boolean {
  if (key === 'Escape') return close();
  return key === 'ArrowDown' && target === search && move(1);
}

function key({ key, target }: KeyboardEvent, actions: KeyActions): boolean {
  const { search, help, list, move, grade, close } = actions;
  if (key === '?') {
    if (help.open) help.close();
    else help.showModal();
    return true;
  }
  if (help.open) return false;
  if (key === '/') {
    search.focus();
    search.select();
    return true;
  }
  if (key === 'Escape') return close();
  if (/^[0-3]$/.test(key)) {
    grade(Number(key));
    return true;
  }
  const arrows = target instanceof Node && list.contains(target);
  if (key === 'j' || (arrows && key === 'ArrowDown')) return move(1);
  if (key === 'k' || (arrows && key === 'ArrowUp')) {
    if (!move(-1)) search.focus();
    return true;
  }
  return false;
}

function writes(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return target.type !== 'checkbox';
  return target instanceof HTMLSelectElement;
}
