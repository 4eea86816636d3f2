import type { BackendRows, Found, RescoreTask, SearchTask, TokenRows } from './device.ts';
import { grown } from './grown.ts';
import type { StoredBatch } from './storedRows.ts';
import { checkRoom } from './validate.ts';

/** Documents of several tokens each, over a backend's rows, which are the tokens. */
export class DocumentRows implements BackendRows {
  readonly findNotFinite: BackendRows['findNotFinite'];
  readonly quantize: BackendRows['quantize'];
  readonly bitsets: BackendRows['bitsets'];
  readonly listPays: BackendRows['listPays'];
  readonly #tokens: TokenRows;
  /** Where the tokens of each document begin, and the end of all; grows without changing what is there. */
  #offsets = new Uint32Array(1);
  #count = 0;

  constructor(tokens: TokenRows) {
    this.#tokens = tokens;
    this.findNotFinite = tokens.findNotFinite?.bind(tokens);
    this.quantize = tokens.quantize?.bind(tokens);
    this.bitsets = tokens.bitsets;
    this.listPays = tokens.listPays?.bind(tokens);
  }

  get bytes(): number {
    return this.#tokens.bytes + this.#offsets.byteLength;
  }

  async append({ rows, features, offsets }: StoredBatch): Promise<void> {
    const added = offsets!;
    const [first, more] = [this.#offsets[this.#count]!, added.at(-1)!];
    checkRoom(first, more);
    const count = this.#count + added.length - 1;
    const all = grown(this.#offsets, count + 1, 0);
    for (let i = 1; i < added.length; i++) all[this.#count + i] = first + added[i]!;
    if (more > 0) await this.#tokens.append({ rows, features });
    this.#offsets = all;
    this.#count = count;
  }

  read(ids: Uint32Array): StoredBatch {
    const offsets = new Uint32Array(ids.length + 1);
    ids.forEach((id, i) => {
      offsets[i + 1] = offsets[i]! + this.#offsets[id + 1]! - this.#offsets[id]!;
    });
    const tokens = new Uint32Array(offsets[ids.length]!);
    ids.forEach((id, i) => {
      for (let token = offsets[i]!; token < offsets[i + 1]!; token++) {
        tokens[token] = this.#offsets[id]! + token - offsets[i]!;
      }
    });
    return { ...this.#tokens.read(tokens), offsets };
  }

  search(task: SearchTask): Promise<Found> {
    return this.#tokens.maxsim.search({ ...task, documents: this.#offsets.subarray(0, task.count + 1) });
  }

  rescore(task: RescoreTask): Promise<Float32Array> {
    return this.#tokens.maxsim.rescore({ ...task, documents: this.#offsets.subarray(0, this.#count + 1) });
  }

  dispose(): Promise<void> {
    return this.#tokens.dispose();
  }
}
