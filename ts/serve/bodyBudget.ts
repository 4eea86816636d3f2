import type { FastifyRequest } from 'fastify';
import { OverloadError } from './admission/overloadError.ts';

/** Bytes of each body that are always taken: on every connection they are little, and a search needs no more. */
const SMALL_BYTES = 65_536;

/** A body of documents is on its way for about so long. */
const RETRY_MS = 1000;

/** Bounds the memory that the bodies of all requests take together, from their arrival until they are answered. */
export class BodyBudget {
  readonly #most: number;
  #held = 0;
  /** Bytes that have come, by request. */
  readonly #bodies = new WeakMap<FastifyRequest, number>();
  readonly #released = new WeakSet<FastifyRequest>();

  /** `most` bytes together, beside the first 64 KiB of each body. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Counts bytes of a body that have come; ERR_OVERLOADED if they are too many together with those of others. */
  hold(request: FastifyRequest, bytes: number): void {
    // What comes after the answer is thrown away.
    if (this.#released.has(request)) return;
    const before = this.#bodies.get(request) ?? 0;
    const more = counted(before + bytes) - counted(before);
    if (this.#held + more > this.#most) {
      throw new OverloadError(
        `The bodies of requests under way fill the ${this.#most} bytes that are meant for them: try again in a moment.`,
        RETRY_MS,
      );
    }
    this.#held += more;
    this.#bodies.set(request, before + bytes);
  }

  /** The request is answered, or its client gone. */
  release(request: FastifyRequest): void {
    this.#held -= counted(this.#bodies.get(request) ?? 0);
    this.#bodies.delete(request);
    this.#released.add(request);
  }
}

const counted = (bytes: number): number => Math.max(0, bytes - SMALL_BYTES);
