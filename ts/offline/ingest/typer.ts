import { SeineError } from '../../core/errors.ts';
import type { Attributes, AttributeType, Document } from '../../core/types.ts';
import { convert, inferType, type RawValue } from './attributes.ts';
import type { BadLine, ReadDocument } from './batches.ts';

/**
 * Gives attributes their types. The user's word goes first, then what the index knows, then what fits all values
 * in the first batch that has the attribute; from there on the type stays.
 */
export class AttributeTyper {
  readonly #types: Map<string, AttributeType>;

  constructor(known: Record<string, AttributeType> = {}, given: Record<string, AttributeType> = {}) {
    this.#types = new Map([...Object.entries(known), ...Object.entries(given)]);
  }

  /** Settles the types of attributes that are new in `items`. */
  learn(items: (ReadDocument | BadLine)[]): void {
    const values = new Map<string, RawValue[]>();
    for (const item of items) {
      if ('reason' in item) continue;
      for (const [name, value] of item.attributes) {
        if (this.#types.has(name)) continue;
        const seen = values.get(name);
        const raw = { value, textual: item.textual };
        if (seen === undefined) values.set(name, [raw]);
        else seen.push(raw);
      }
    }
    for (const [name, seen] of values) {
      const type = inferType(seen);
      if (type !== undefined) this.#types.set(name, type);
    }
  }

  /** The document with typed attributes, or why it has none; missing values are left out. */
  convert(item: ReadDocument): Document | BadLine {
    const attributes: [string, Attributes[string]][] = [];
    try {
      for (const [name, value] of item.attributes) {
        const type = this.#types.get(name);
        const typed = type === undefined ? null : convert(name, { value, textual: item.textual }, type);
        if (typed !== null) attributes.push([name, typed]);
      }
    } catch (error) {
      if (!(error instanceof SeineError)) throw error;
      return { source: item.source, line: item.line, reason: error.message };
    }
    return {
      id: item.id,
      ...(item.title === undefined ? {} : { title: item.title }),
      text: item.text,
      attributes: Object.fromEntries(attributes),
    };
  }

  /** Names among `wanted` that no document had, nor anything nested under them. */
  unseen(wanted: string[]): string[] {
    const names = [...this.#types.keys()];
    return wanted.filter((name) => !names.some((seen) => seen === name || seen.startsWith(`${name}.`)));
  }
}
