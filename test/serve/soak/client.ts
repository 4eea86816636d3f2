import { expect } from '@jest/globals';
import { readWordnet } from '../../../scripts/wordnet.mjs';
import { type Random, random } from '../../../ts/core/random.ts';
import type { Document } from '../../../ts/core/types.ts';
import { ask } from '../harness.ts';

/** Glosses that documents get. */
const GLOSSES: Document[] = [];
for (const gloss of readWordnet()) {
  // Every ninth, so that all parts of speech come in.
  if (gloss.id.endsWith('9')) GLOSSES.push(gloss);
}

const POS = ['noun', 'verb', 'adj', 'adv'];

export function drawQuery({ below }: Random): string {
  const words = GLOSSES[below(GLOSSES.length)]!.text.match(/[a-z]+/gi) ?? [];
  const at = below(words.length);
  return words.slice(at, at + 1 + below(5)).join(' ');
}

/** Body of a search of any kind. */
export function drawSearch(source: Random): Record<string, unknown> {
  const { below } = source;
  const filters = [
    { eq: ['pos', POS[below(4)]] },
    { and: [{ gte: ['names', 2] }, { not: { eq: ['pos', 'noun'] } }] },
    { in: ['domain', ['person', 'artifact', 'body']] },
  ];
  return {
    query: drawQuery(source),
    k: 1 + below(20),
    depth: below(5),
    retrieve: ['dense', 'bm25', 'fused'][below(3)],
    ...(below(2) === 0 && { filter: filters[below(filters.length)] }),
    ...(below(3) === 0 && { facets: ['pos', 'domain'] }),
  };
}

/** One of the clients of a soak: it alone writes its ids, and checks what it reads against what it wrote. */
export class SoakClient {
  readonly documents = new Map<string, Document>();
  readonly #random: Random;
  readonly #url: string;
  readonly #ids: string[];

  constructor(url: string, name: string, ids: number, seed: number) {
    this.#url = url;
    this.#ids = Array.from({ length: ids }, (_, i) => `${name}-${i}`);
    this.#random = random(seed);
  }

  /** Writes every id once. */
  async begin(): Promise<void> {
    await this.#write(this.#ids.map((id) => this.#draw(id)));
  }

  async step(): Promise<void> {
    const dice = this.#random.below(100);
    if (dice < 30) await this.#upsert();
    else if (dice < 38) await this.#delete();
    else if (dice < 50) await this.#get();
    else if (dice < 60) await this.#rank();
    else await this.#search();
  }

  #id(): string {
    return this.#ids[this.#random.below(this.#ids.length)]!;
  }

  #draw(id: string): Document {
    const { title, text, attributes } = GLOSSES[this.#random.below(GLOSSES.length)]!;
    return { id, title, text, attributes };
  }

  async #write(documents: Document[]): Promise<void> {
    const { status } = await ask(`${this.#url}/documents`, documents);
    expect(status).toBe(200);
    for (const document of documents) this.documents.set(document.id, document);
  }

  /** What is acknowledged is found by the next search. */
  async #upsert(): Promise<void> {
    const documents = Array.from({ length: 1 + this.#random.below(4) }, () => this.#draw(this.#id()));
    await this.#write(documents);
    const last = documents.at(-1)!;
    const everything = { query: last.title, k: 1000, depth: 0, retrieve: 'dense' };
    const { body } = await ask(`${this.#url}/search`, everything);
    expect(body.hits.map(({ id }: { id: string }) => id)).toContain(last.id);
  }

  async #delete(): Promise<void> {
    const ids = [this.#id(), this.#id()];
    const there = new Set(ids.filter((id) => this.documents.has(id))).size;
    const { status, body } = await ask(`${this.#url}/documents/delete`, { ids });
    expect([status, body.deleted]).toEqual([200, there]);
    for (const id of ids) this.documents.delete(id);
  }

  async #get(): Promise<void> {
    const id = this.#id();
    const { status, body } = await ask(`${this.#url}/documents/${id}`);
    const expected = this.documents.get(id);
    expect(status).toBe(expected === undefined ? 404 : 200);
    if (expected !== undefined) expect(body).toEqual(expected);
  }

  async #rank(): Promise<void> {
    const documents = Array.from({ length: 4 }, () => GLOSSES[this.#random.below(GLOSSES.length)]!.text);
    const { status, body } = await ask(`${this.#url}/rank`, { query: drawQuery(this.#random), documents });
    expect([status, body.results.length]).toEqual([200, 4]);
  }

  async #search(): Promise<void> {
    const search = drawSearch(this.#random);
    const { status, body } = await ask(`${this.#url}/search`, search);
    expect([status, body.hits.length <= (search.k as number)]).toEqual([200, true]);
  }
}
