import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SeineError, show } from '../core/errors.ts';
import type { ApiKey } from './settings/schema.ts';

/** Who asks, and what it may do. */
export interface KnownKey {
  name: string;
  /** Whether it may change the index. */
  write: boolean;
  /** Workloads that it may choose, the first by default; without, it may choose any. */
  workloads: readonly string[] | undefined;
}

const LEAST_LENGTH = 16;
const PRINTABLE = /^[!-~]*$/;
const HASH = /^sha256:([0-9a-f]{64})$/;

/** The API keys of a server. It keeps their hashes and forgets their text. */
export class KeyRing {
  readonly #keys: { known: KnownKey; digest: Buffer }[];

  /** Errors: ERR_NOT_FOUND (the file of a key cannot be read), ERR_ARGUMENT (a key is too short, or given twice). */
  constructor(keys: readonly ApiKey[]) {
    this.#keys = keys.map(({ name, key, write, workloads }) => ({
      known: { name, write, workloads },
      digest: digestOf(name, key),
    }));
    for (const [i, { known, digest }] of this.#keys.entries()) {
      const twin = this.#keys.slice(0, i).find((other) => other.digest.equals(digest));
      if (twin === undefined) continue;
      throw new SeineError(
        'ERR_ARGUMENT',
        `The keys ${show(twin.known.name)} and ${show(known.name)} are the same: give each its own.`,
      );
    }
  }

  get size(): number {
    return this.#keys.length;
  }

  /** Whose secret this is. Every key is compared, each in constant time. */
  find(secret: string): KnownKey | undefined {
    const digest = sha256(secret);
    let found: KnownKey | undefined;
    for (const key of this.#keys) {
      if (timingSafeEqual(key.digest, digest)) found = key.known;
    }
    return found;
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function digestOf(name: string, key: string): Buffer {
  const hash = HASH.exec(key)?.[1];
  if (hash !== undefined) return Buffer.from(hash, 'hex');
  if (key.startsWith('sha256:')) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `The key ${show(name)} must have 64 lower-case hexadecimal digits after "sha256:".`,
    );
  }
  const secret = key.startsWith('file:') ? readSecret(name, key.slice('file:'.length)) : key;
  // What is not ASCII reaches a server in more than one encoding.
  if (secret.length < LEAST_LENGTH || !PRINTABLE.test(secret)) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `The key ${show(name)} must have ${LEAST_LENGTH} characters or more, all of them ASCII and none of them white space.`,
    );
  }
  return sha256(secret);
}

function readSecret(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    const message = `The file ${show(path)} of the key ${show(name)} cannot be read: correct its path.`;
    throw new SeineError('ERR_NOT_FOUND', message, { cause: error });
  }
}
