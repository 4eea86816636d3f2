// A process that works on an index until it is killed or told to stop: `node storeChild.mjs PATH MODE [JSON]`.
// Writes one line of JSON to its output for everything that happens.
import { writeSync } from 'node:fs';
import { Store } from '../../dist/store/store.js';

const [path, mode, json = '{}'] = process.argv.slice(2);

/** At once, since the process may be killed; a pipe that is full is tried again. */
function say(message) {
  const line = `${JSON.stringify(message)}\n`;
  for (;;) {
    try {
      writeSync(1, line); // shorter than a pipe takes in one piece
      return;
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}

const told = () => new Promise((resolve) => process.stdin.once('data', resolve));

async function hold({ readonly = false }) {
  const store = await Store.open(path, { readonly });
  say({ open: true });
  await told();
  await store.close();
}

/** Follows the changes that another process makes until it has seen `generation`. */
async function follow({ generation }) {
  const store = await Store.open(path, { readonly: true });
  say({ open: true });
  const live = new Map();
  let at = 0;
  while (at < generation) {
    for await (const change of store.changes(at)) {
      if (change.kind === 'reset') live.clear();
      else if (change.kind === 'removed') for (const doc of change.docs) live.delete(doc);
      else if (change.kind === 'documents')
        for (const [i, doc] of change.docs.entries()) live.set(doc, change.ids[i]);
      else if (change.kind === 'end') at = change.generation;
    }
  }
  say({ ids: [...live.values()].sort() });
  await store.close();
}

/** Applies operations, several at a time, and tells each when it is begun and when it is acknowledged. */
async function write({ operations, atOnce, segmentRows, close }) {
  const store = await Store.open(path, { segmentRows });
  await store.setModel({ name: 'm', hash: 'h', dim: 4, maxTokens: 1, passages: true });
  say({ open: true });
  for (let i = 0; i < operations.length; i += atOnce) {
    const group = operations.slice(i, i + atOnce).map(async (operation, k) => {
      say({ begun: i + k });
      if (operation.delete) await store.delete(operation.delete);
      else await store.upsert(operation.upsert.map(encoded));
      say({ acknowledged: i + k });
    });
    await Promise.all(group);
  }
  if (close) await store.close();
  say({ closed: close });
  if (!close) await told();
}

function encoded([id, version]) {
  const text = `${id} version${version} `.repeat(1 + (version % 40));
  const passages = Array.from({ length: 1 + (version % 3) }, (_, i) => ({
    start: i,
    end: text.length,
    vector: new Float32Array(4).fill(version + i / 8),
  }));
  return { id, text, attributes: { version }, passages };
}

/** Leaves an open, idle store behind and ends without closing it. */
async function leave() {
  const store = await Store.open(path);
  await store.upsert([{ id: 'left', text: 'x', passages: [] }]);
  say({ left: true });
  setTimeout(() => say({ late: true }), 60_000).unref();
}

/** Ends in the middle of its work, as a program does that is told to stop. */
async function exit({ afterMs }) {
  const store = await Store.open(path);
  const text = 'word '.repeat(500);
  const ignore = () => {};
  for (let i = 0; i < 50; i++) {
    const documents = Array.from({ length: 100 }, (_, j) => ({ id: `${i}-${j}`, text, passages: [] }));
    store.upsert(documents).then(() => say({ acknowledged: documents.length }), ignore);
    if (i % 10 === 5) store.backup(`${path}.copy${i}`).catch(ignore);
  }
  setTimeout(() => process.exit(3), afterMs);
}

await { hold, follow, write, leave, exit }[mode](JSON.parse(json));
