import { SeineError, show } from '../../core/errors.ts';

/** A document as it came: its attributes have no types yet. */
export interface UntypedDocument {
  id: string;
  title: string | undefined;
  text: string;
  attributes: [name: string, value: unknown][];
}

const FIELDS = ['id', 'title', 'text', 'attributes'];

/** Checks a document that came as JSON; throws ERR_DATA with what is wrong, as the end of a sentence. */
export function readDocument(value: unknown): UntypedDocument {
  if (!isObject(value)) throw fault(`must be an object with id and text, got ${show(value)}`);
  const unknown = Object.keys(value).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) {
    throw fault(`has a field ${show(unknown)}; there are: ${FIELDS.join(', ')}. Put others into attributes`);
  }
  const { id, title, text, attributes = {} } = value;
  if (typeof id !== 'string' || id === '' || /[\0\p{Surrogate}]/u.test(id)) {
    throw fault(`must have an id, a string that is not empty, got ${show(id)}`);
  }
  if (typeof text !== 'string') throw fault(`must have a text, a string, got ${show(text)}`);
  if (title !== undefined && title !== null && typeof title !== 'string') {
    throw fault(`must have a string as its title, got ${show(title)}`);
  }
  if (attributes !== null && !isObject(attributes)) {
    throw fault(`must have an object as its attributes, got ${show(attributes)}`);
  }
  return { id, title: title ?? undefined, text, attributes: Object.entries(attributes ?? {}) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const fault = (problem: string): SeineError => new SeineError('ERR_DATA', problem);
