import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { editJson } from '../core/editJson.ts';

/**
 * The `config.json` of a model like the one at `directory`, with these fields and no others. Numbers that stay the same
 * keep their digits.
 */
export function configText(directory: string, fields: Readonly<Record<string, unknown>>): string {
  const path = join(directory, 'config.json');
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '{}';
  const before: Record<string, unknown> = JSON.parse(text);
  const names = [...new Set([...Object.keys(before), ...Object.keys(fields)])];
  const changed = names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(fields[name]));
  return editJson(text, Object.fromEntries(changed.map((name) => [name, fields[name]])));
}
