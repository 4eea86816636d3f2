import { AttributeTypes } from '../../core/attributeTypes.ts';
import type { RawValue } from '../../core/attributeValues.ts';
import { SeineError } from '../../core/errors.ts';
import type { Attributes, AttributeType, Document } from '../../core/types.ts';
import type { BadLine, ReadDocument } from './batches.ts';
import { convert } from './convert.ts';

/** Gives the attributes of documents their types. */
export class AttributeTyper {
  readonly #types: AttributeTypes;

  constructor(known?: Record<string, AttributeType>, given?: Record<string, AttributeType>) {
    this.#types = new AttributeTypes(known, given);
  }

  /** Settles the types of attributes that are new in `items`. */
  learn(items: (ReadDocument | BadLine)[]): void {
    this.#types.learn(rawValues(items));
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
    const names = this.#types.names();
    return wanted.filter((name) => !names.some((seen) => seen === name || seen.startsWith(`${name}.`)));
  }
}

function* rawValues(items: (ReadDocument | BadLine)[]): Generator<[string, RawValue]> {
  for (const item of items) {
    if ('reason' in item) continue;
    for (const [name, value] of item.attributes) yield [name, { value, textual: item.textual }];
  }
}
