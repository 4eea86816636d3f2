/** What an element may contain: text is always taken as text. `undefined` is left out. */
export type Child = Node | string | undefined;
type AttributeList = Record<string, string | number | boolean | undefined>;

const SVG = 'http://www.w3.org/2000/svg';

/** An HTML element. `true` sets an attribute without a value; `false` and `undefined` leave it out. */
export function html<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: AttributeList = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: AttributeList = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** A push button. */
export function button(label: Child, press: () => void, attributes: AttributeList = {}): HTMLButtonElement {
  const element = html('button', { type: 'button', ...attributes }, label);
  element.addEventListener('click', press);
  return element;
}

/** Makes a change; if what had the focus is no longer to be seen, another element gets it. */
export function keepFocus(change: () => void, next: () => HTMLElement): void {
  const had = document.activeElement;
  change();
  if (had === null || had === document.body || had.checkVisibility()) return;
  next().focus({ preventScroll: true });
}

/** The element of `index.html` with this id. */
export function byId<T extends HTMLElement>(id: string, type: { new (): T }): T {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`index.html must have a ${type.name} with the id ${id}`);
  return element;
}

function fill<T extends Element>(element: T, attributes: AttributeList, children: Child[]): T {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false)
      element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}
