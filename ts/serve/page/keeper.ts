/** `localStorage` or `sessionStorage`. */
interface TextStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** Texts by key: in a storage of the browser, or in memory where that is blocked or full. */
export class Keeper {
  readonly #storage: () => TextStorage;
  readonly #memory = new Map<string, string>();

  /** `storage` is asked for at each use: where it is blocked, its very name throws. */
  constructor(storage: () => TextStorage) {
    this.#storage = storage;
  }

  /** Whether all that was set outlives the page. */
  get lasting(): boolean {
    return this.#memory.size === 0;
  }

  /** The text under a key as JSON; `undefined` if there is none, or if it is no JSON. */
  read(key: string): unknown {
    try {
      return JSON.parse(this.#memory.get(key) ?? this.#storage().getItem(key) ?? 'null') ?? undefined;
    } catch {
      return undefined;
    }
  }

  write(key: string, value: unknown): void {
    const text = JSON.stringify(value);
    try {
      this.#storage().setItem(key, text);
      this.#memory.delete(key);
    } catch {
      this.#memory.set(key, text);
    }
  }

  remove(key: string): void {
    this.#memory.delete(key);
    try {
      this.#storage().removeItem(key);
    } catch {
      // Where storage is blocked, nothing is in it.
    }
  }
}
