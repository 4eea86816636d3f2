import type { CrossEncoder, ScoreOptions } from '../../../ts/models/crossEncoder.ts';

/** A real ranker of which every call is recorded, and that can be held up or made to fail. */
export class WatchedRanker {
  readonly calls: { query: string; documents: (string | Float32Array)[]; options: ScoreOptions }[] = [];
  /** What each call waits for before it goes to the ranker, which then sees its signal. */
  before: (call: number) => Promise<void> = async () => {};
  readonly ranker: CrossEncoder;

  constructor(real: CrossEncoder) {
    this.ranker = {
      ...real,
      score: async (query, documents, options = {}) => {
        const call = this.calls.push({ query, documents, options }) - 1;
        await this.before(call);
        return real.score(query, documents, options);
      },
    };
  }

  /** Pairs that were given to the ranker. */
  get pairs(): string[] {
    return this.calls.flatMap(({ query, documents }) => documents.map((document) => `${query}|${document}`));
  }

  /** Holds all calls up until what it returns is called. */
  hold(): () => void {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.before = () => held;
    return () => {
      this.before = async () => {};
      release();
    };
  }
}
