import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { type Random, random } from '../../../ts/core/random.ts';
import { ServerProcess } from '../../helpers/serverProcess.mjs';
import { ask } from '../harness.ts';
import { freshFolder } from './folder.ts';
import { PATIENT } from './patient.ts';

const KILLS = Number(process.env.SEINE_KILLS ?? 30);
const LANES = 2;
const CLIENTS = 3;
/** Documents that each client writes and deletes. */
const IDS = 12;

const folder = freshFolder();

/** Versions by id; `undefined` is a document that is not there. */
type State = Record<string, number | undefined>;
let version = 0;

/** A client that alone writes its ids, one request after the other: what it has been told, and what is under way. */
class Client {
  readonly known: State = {};
  under: State | undefined;
  acknowledged = 0;
  readonly #ids: string[];
  readonly #random: Random;

  constructor(name: string, seed: number) {
    this.#ids = Array.from({ length: IDS }, (_, i) => `${name}-${i}`);
    this.#random = random(seed);
  }

  async run(url: string): Promise<void> {
    while (true) {
      const { below } = this.#random;
      const ids = [...new Set(Array.from({ length: 1 + below(4) }, () => this.#ids[below(IDS)]!))];
      const removes = below(4) === 0;
      const change: State = Object.fromEntries(ids.map((id) => [id, removes ? undefined : version++]));
      this.under = change;
      let status: number;
      try {
        ({ status } = removes
          ? await ask(`${url}/documents/delete`, { ids })
          : await ask(
              `${url}/documents?atomic=true`,
              ids.map((id) => documentOf(id, change[id]!)),
            ));
      } catch {
        return; // killed: nobody knows what became of it
      }
      expect(status).toBe(200);
      Object.assign(this.known, change);
      this.under = undefined;
      this.acknowledged++;
    }
  }

  /** What is there is what was acknowledged, with what was under way as a whole or not at all. */
  async check(url: string): Promise<void> {
    const found: State = {};
    for (const id of this.#ids) {
      const { status, body } = await ask(`${url}/documents/${id}`);
      expect([200, 404]).toContain(status);
      if (status === 404) continue;
      expect(body).toEqual(documentOf(id, body.attributes.version));
      found[id] = body.attributes.version;
    }
    const possible = [this.known, { ...this.known, ...this.under }].map(present);
    expect(possible).toContainEqual(found);
    for (const id of this.#ids) this.known[id] = found[id];
    this.under = undefined;
  }

  get count(): number {
    return Object.keys(present(this.known)).length;
  }
}

const present = (state: State): State =>
  Object.fromEntries(Object.entries(state).filter(([, value]) => value !== undefined));

const documentOf = (id: string, of: number) => ({
  id,
  text: `${id} version${of} `.repeat(1 + (of % 30)),
  attributes: { version: of },
});

test(
  `${KILLS} times SIGKILL under concurrent writes: nothing acknowledged is lost, the index opens again`,
  async () => {
    const lane = async (seed: number): Promise<{ acknowledged: number; under: number }> => {
      const { below } = random(seed);
      const settings = { index: folder.path(`kill-${seed}.seine`), ranker: 'none', workloads: PATIENT };
      const clients = Array.from({ length: CLIENTS }, (_, i) => new Client(`c${i}`, seed * 100 + i));
      let under = 0;
      for (let kill = 0; kill <= KILLS / LANES; kill++) {
        const server = await ServerProcess.start(settings);
        await Promise.all(clients.map((client) => client.check(server.url)));
        const { body } = await ask(`${server.url}/info`);
        expect(body.documents).toBe(clients.reduce((sum, client) => sum + client.count, 0));
        const { body: answer } = await ask(`${server.url}/search`, {
          query: 'version',
          k: 1000,
          retrieve: 'dense',
        });
        expect(answer.hits.length).toBe(body.documents);
        if (kill === KILLS / LANES) {
          expect(await server.stop()).toEqual({ code: 0, signal: null });
          break;
        }
        const before = clients.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
        const running = clients.map((client) => client.run(server.url));
        while (clients.reduce((sum, { acknowledged }) => sum + acknowledged, 0) === before) await sleep(1);
        await sleep(below(60));
        expect(await server.stop('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
        await Promise.all(running);
        under += clients.filter((client) => client.under !== undefined).length;
      }
      return { acknowledged: clients.reduce((sum, client) => sum + client.acknowledged, 0), under };
    };
    const lanes = await Promise.all(Array.from({ length: LANES }, (_, i) => lane(i + 1)));
    expect(lanes.reduce((sum, { acknowledged }) => sum + acknowledged, 0)).toBeGreaterThan(KILLS);
    expect(lanes.reduce((sum, { under }) => sum + under, 0)).toBeGreaterThan(KILLS / 2);
  },
  60_000 + KILLS * 10_000,
);
