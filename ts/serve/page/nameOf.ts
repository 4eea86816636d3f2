import { head } from './head.ts';
import type { WireHit } from './wire.ts';

/** Something that can be seen: no white space, no character that only controls or formats. */
const VISIBLE = /[^\s\p{C}\p{Z}]/u;

/** What a hit is called wherever it is listed: its title, or else how its passage begins, or else its id. */
export function nameOf({ title = '', snippet, id }: WireHit): string {
  const name = [title, snippet].find((text) => VISIBLE.test(text)) ?? id;
  return head(name.trim(), 160);
}
