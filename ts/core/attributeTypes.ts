import { inferType, type RawValue } from './attributeValues.ts';
import type { AttributeType } from './types.ts';

/**
 * Settles the types of attributes. The user's word goes first, then what the index knows, then what fits all values
 * of the first batch that has the attribute; from there on the type stays.
 */
export class AttributeTypes {
  readonly #types: Map<string, AttributeType>;

  constructor(known: Record<string, AttributeType> = {}, given: Record<string, AttributeType> = {}) {
    this.#types = new Map([...Object.entries(known), ...Object.entries(given)]);
  }

  /** Settles the types of attributes that are new in this batch. */
  learn(values: Iterable<[name: string, raw: RawValue]>): void {
    const unknown = new Map<string, RawValue[]>();
    for (const [name, raw] of values) {
      if (this.#types.has(name)) continue;
      const seen = unknown.get(name);
      if (seen === undefined) unknown.set(name, [raw]);
      else seen.push(raw);
    }
    for (const [name, seen] of unknown) {
      const type = inferType(seen);
      if (type !== undefined) this.#types.set(name, type);
    }
  }

  /** `undefined` while all values that came were missing. */
  get(name: string): AttributeType | undefined {
    return this.#types.get(name);
  }

  names(): string[] {
    return [...this.#types.keys()];
  }
}
