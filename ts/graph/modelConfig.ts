import { SeineError, show } from '../core/errors.ts';

/** The fields of a `config.json`, each checked when it is asked for. Errors: `ERR_MODEL` names the field. */
export class ModelConfig {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly #directory: string;

  constructor(fields: Readonly<Record<string, unknown>>, directory: string) {
    this.fields = fields;
    this.#directory = directory;
  }

  /** A positive whole number. */
  count(name: string, otherwise?: number): number {
    const value = this.fields[name] ?? otherwise;
    if (Number.isInteger(value) && (value as number) > 0) return value as number;
    throw this.wrong(name, 'a positive whole number');
  }

  number(name: string, otherwise?: number): number {
    const value = this.fields[name] ?? otherwise;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw this.wrong(name, 'a number');
  }

  flag(name: string, otherwise: boolean): boolean {
    const value = this.fields[name] ?? otherwise;
    if (typeof value === 'boolean') return value;
    throw this.wrong(name, 'true or false');
  }

  /** The value of a field that must be one of these, for nothing else is implemented. */
  oneOf<T extends string>(name: string, values: readonly T[], otherwise: T): T {
    const value = this.fields[name] ?? otherwise;
    if (values.includes(value as T)) return value as T;
    throw this.wrong(name, `one of ${values.join(', ')}`);
  }

  wrong(name: string, expected: string): SeineError {
    return new SeineError(
      'ERR_MODEL',
      `The configuration of the model at ${this.#directory} should give ${name} as ${expected}, got ` +
        `${show(this.fields[name])}: choose another model, or fetch it again.`,
    );
  }
}
