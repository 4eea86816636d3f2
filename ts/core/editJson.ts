/** Strings, which are passed over, and numbers. */
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** A string that no JSON file holds, around the digits of a number. */
const MARKED = /"\\u0000(-?\d[\d.eE+-]*)"/g;

/**
 * Sets fields of a JSON object, or removes those given as undefined; all other numbers keep their digits, so that 2.0
 * stays one with a fraction, on which readers with types insist. `text` must be JSON with an object.
 */
export function editJson(text: string, changes: Readonly<Record<string, unknown>>): string {
  const marked = text.replaceAll(TOKENS, (token) =>
    token.startsWith('"') ? token : JSON.stringify(`\0${token}`),
  );
  const edited = JSON.stringify({ ...JSON.parse(marked), ...changes }, null, 2);
  return `${edited.replaceAll(MARKED, '$1')}\n`;
}
