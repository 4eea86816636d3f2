import { SeineError, show } from '../../core/errors.ts';

/** Which fields of a record make the document. A name with dots reaches into nested objects. */
export interface FieldOptions {
  /** Default: the first of `id`, `_id` and `docno` that is there. */
  id?: string | undefined;
  /** Default: `title`. */
  title?: string | undefined;
  /** Joined by a blank where there are several. Default: `text`. */
  text?: string[] | undefined;
  /**
   * Attributes to keep; a name also stands for all that is nested under it. Default: every field that is left,
   * where `attributes` and `metadata` stand for what they hold.
   */
  attributes?: string[] | undefined;
}

/** A document whose attributes still have the types of its file. */
export interface MappedRecord {
  id: string;
  title: string | undefined;
  text: string;
  attributes: Map<string, unknown>;
}

const IDS = ['id', '_id', 'docno'];
const CONTAINERS = new Set(['attributes', 'metadata']);
const MAX_DEPTH = 16;

/** Makes the function that maps records; it throws `ERR_DATA` with what is wrong, as the end of a sentence. */
export function fieldMapper(options: FieldOptions): (record: Record<string, unknown>) => MappedRecord {
  const { id, title = 'title', text = ['text'], attributes: wanted } = options;
  const ids = id === undefined ? IDS : [id];
  return (record) => {
    const fields = flatten(record);
    const idField = ids.find((name) => present(fields.get(name)));
    const idText = idField === undefined ? '' : scalarText(fields, idField);
    if (idField === undefined || idText === '') {
      const expected = ids.map((name) => `"${name}"`).join(' or ');
      throw new SeineError('ERR_DATA', `has no id: ${expected} was expected, its fields are ${list(fields)}`);
    }
    const titleText = present(fields.get(title)) ? scalarText(fields, title) : undefined;
    const texts = text.filter((name) => present(fields.get(name))).map((name) => scalarText(fields, name));
    if (texts.length === 0 && titleText === undefined) {
      const expected = text.map((name) => `"${name}"`).join(' or ');
      throw new SeineError(
        'ERR_DATA',
        `has no text: ${expected} was expected, its fields are ${list(fields)}`,
      );
    }
    for (const name of [idField, title, ...text]) fields.delete(name);
    return {
      id: idText,
      title: titleText,
      text: texts.join(' '),
      attributes: wanted === undefined ? fields : select(fields, wanted),
    };
  };
}

const present = (value: unknown): boolean => value !== undefined && value !== null;

function list(fields: Map<string, unknown>): string {
  const names = [...fields.keys()];
  const shown = names.slice(0, 12).join(', ');
  return names.length > 12 ? `${shown} and ${names.length - 12} more` : shown || 'none';
}

function scalarText(fields: Map<string, unknown>, name: string): string {
  const value = fields.get(name);
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new SeineError('ERR_DATA', `must hold a string in "${name}", got ${show(value)}`);
}

function select(fields: Map<string, unknown>, wanted: string[]): Map<string, unknown> {
  const chosen = (field: string) => wanted.some((name) => field === name || field.startsWith(`${name}.`));
  return new Map([...fields].filter(([field]) => chosen(field)));
}

/** Nested objects become names with dots; arrays, points and scalars stay as they are. */
function flatten(record: Record<string, unknown>): Map<string, unknown> {
  const fields = new Map<string, unknown>();
  const add = (name: string, value: unknown, depth: number): void => {
    if (isObject(value) && !isPoint(value)) {
      if (depth > MAX_DEPTH) throw new SeineError('ERR_DATA', `nests objects more than ${MAX_DEPTH} deep`);
      const inner = CONTAINERS.has(name) ? '' : `${name}.`;
      for (const [key, part] of Object.entries(value)) add(inner + key, part, depth + 1);
    } else if (fields.has(name)) {
      throw new SeineError(
        'ERR_DATA',
        `has the field "${name}" twice, at its top and inside attributes or metadata`,
      );
    } else {
      fields.set(name, value);
    }
  };
  for (const [name, value] of Object.entries(record)) add(name, value, 1);
  return fields;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPoint(value: Record<string, unknown>): boolean {
  const names = Object.keys(value);
  return names.length === 2 && typeof value.lat === 'number' && typeof value.lon === 'number';
}
