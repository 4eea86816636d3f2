import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import { Store } from '../../ts/store/store.ts';
import { Child } from './child.ts';
import { freshPath, Mirror } from './setup.ts';

const KILLS = 104;
const LANES = 2;
/** Runs that follow each other on one file before a fresh one is taken. */
const RUNS_PER_FILE = 4;

type Operation = { upsert: [id: string, version: number][] } | { delete: string[] };
type State = Record<string, number>;

function apply(state: State, operation: Operation): State {
  const next = { ...state };
  if ('delete' in operation) for (const id of operation.delete) delete next[id];
  else for (const [id, version] of operation.upsert) next[id] = version;
  return next;
}

/** What is in the index, each document whole: its text, attributes, vectors and words belong to one version. */
async function stateOf(path: string): Promise<State> {
  await using store = await Store.open(path, {
    onWarning: (message) => {
      throw new Error(message);
    },
  });
  const mirror = new Mirror();
  await mirror.follow(store);
  const vectors = mirror.contents();
  const state: State = {};
  for await (const { doc, id, text, attributes } of store.iterate()) {
    const version = attributes.version as number;
    expect(text).toBe(`${id} version${version} `.repeat(1 + (version % 40)));
    expect(vectors[id]).toEqual(Array.from({ length: 1 + (version % 3) }, (_, i) => version + i / 8));
    expect(mirror.documents.get(doc)).toEqual({ id, attributes: { version } });
    state[id] = version;
  }
  expect(Object.keys(vectors)).toHaveLength(Object.keys(state).length);
  const { docs } = await store.bm25('version', { limit: 1 });
  expect(docs).toHaveLength(0);
  for (const [id, version] of Object.entries(state).slice(0, 3)) {
    const hits = await store.bm25(`version${version}`, { limit: 1000 });
    const found = await store.documents(hits.docs);
    expect(found.map((document) => document?.id)).toContain(id);
    expect(found.every((document) => document?.live && document.attributes.version === version)).toBe(true);
  }
  const info = await store.info();
  expect(info).toMatchObject({ documents: Object.keys(state).length, rows: mirror.rows.size });
  return state;
}

test(`what was acknowledged survives SIGKILL at ${KILLS} random points`, async () => {
  let version = 0;
  let acknowledged = 0;
  let inFlight = 0;
  const lane = async (seed: number): Promise<void> => {
    const { below } = random(seed);
    let path = freshPath();
    let state: State = {};
    for (let run = 0; run < KILLS / LANES; run++) {
      if (run % RUNS_PER_FILE === 0) {
        path = freshPath();
        state = {};
      }
      const operations: Operation[] = Array.from({ length: 400 }, () => {
        const ids = Array.from({ length: 1 + below(5) }, () => `d${below(60)}`);
        if (below(4) === 0) return { delete: ids };
        return { upsert: ids.map((id): [string, number] => [id, version++]) };
      });
      const settings = { operations, atOnce: 1 + below(8), segmentRows: 40, close: below(4) === 0 };
      const child = new Child(path, 'write', settings);
      await child.heard('open');
      if (settings.close && below(2) === 0) await child.heard('closed');
      else await sleep(below(160));
      await child.kill();
      const begun = child.said.filter((message) => 'begun' in message).length;
      const acks = child.said.flatMap((message) =>
        'acknowledged' in message ? [message.acknowledged as number] : [],
      );
      const last = Math.max(-1, ...acks);
      acknowledged += acks.length;
      if (begun > acks.length) inFlight++;
      // Writes take effect in the order in which they were asked: all up to the last one acknowledged, and perhaps
      // some more of those that were under way.
      const possible = [operations.slice(0, last + 1).reduce(apply, state)];
      for (const operation of operations.slice(last + 1, begun))
        possible.push(apply(possible.at(-1)!, operation));
      const found = await stateOf(path);
      expect(possible).toContainEqual(found);
      state = found;
    }
  };
  await Promise.all(Array.from({ length: LANES }, (_, i) => lane(i + 1)));
  expect(acknowledged).toBeGreaterThan(KILLS);
  expect(inFlight).toBeGreaterThan(KILLS / 4);
}, 600_000);
