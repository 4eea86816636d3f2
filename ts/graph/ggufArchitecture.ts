import { SeineError, show } from '../core/errors.ts';
import type { Gguf } from './gguf.ts';

/** What an architecture of GGUF's is called in the models of Hugging Face. */
export interface GgufArchitecture {
  /** Values of `general.architecture`. */
  readonly names: readonly string[];
  /** Values of `model_type` that a `config.json` beside the file may have; that of `configOf` is the one that counts. */
  readonly types: (name: string) => readonly string[];
  /** Fields of `config.json`. */
  configOf(fields: GgufFields): Record<string, unknown>;
  /** Names of the tensors that belong to no layer. */
  readonly top: Readonly<Record<string, string>>;
  /** What stands before a layer's number. */
  readonly layers: string;
  /** Names within a layer of what is `blk.<layer>.<part>.weight` or `.bias`. */
  readonly ofLayer: Readonly<Record<string, string>>;
}

/** The metadata of a GGUF under the name of its architecture. */
export class GgufFields {
  readonly gguf: Gguf;
  readonly architecture: string;
  readonly #path: string;

  constructor(gguf: Gguf, architecture: string, path: string) {
    this.gguf = gguf;
    this.architecture = architecture;
    this.#path = path;
  }

  /** Throws `ERR_MODEL` if there is none and nothing else to take. */
  number(key: string, otherwise?: number): number {
    const name = `${this.architecture}.${key}`;
    const value = this.gguf.metadata.get(name) ?? otherwise;
    if (typeof value === 'number') return value;
    throw new SeineError(
      'ERR_MODEL',
      `${this.#path} should give ${name} as a number, got ${show(value)}: fetch it again.`,
    );
  }

  /** Throws `ERR_MODEL` unless a field that changes what the model computes has the one value that Seine knows. */
  only(key: string, known: string | boolean, what: string): void {
    const value = this.gguf.metadata.get(`${this.architecture}.${key}`) ?? known;
    if (value === known) return;
    throw new SeineError(
      'ERR_MODEL',
      `${this.#path} ${what} (${this.architecture}.${key} is ${show(value)}), which Seine does not: choose another model.`,
    );
  }

  /** Rows of a tensor, if it is there. */
  rowsOf(name: string): number | undefined {
    return this.gguf.tensors.get(name)?.shape[0];
  }

  /** The id of a special token, if the file names it. */
  token(kind: string): unknown {
    return this.gguf.metadata.get(`tokenizer.ggml.${kind}_token_id`);
  }
}
