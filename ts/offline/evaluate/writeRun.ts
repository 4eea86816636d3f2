import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { SeineError, show } from '../../core/errors.ts';
import { writeAtomic } from '../../core/files.ts';
import type { RunEntry } from '../../core/types.ts';
import { decreasingScores } from './decreasingScores.ts';

export type RunSource = Iterable<[string, RunEntry[]]> | AsyncIterable<[string, RunEntry[]]>;

/**
 * Writes a TREC run (`query Q0 document rank score tag`) to a path, whole or not at all, or to a stream, which
 * stays open. Documents come best first; their order is kept by strictly falling scores, even in a reader that
 * sorts by score in float32 and breaks ties in its own way (`decreasingScores`). A query without documents has no
 * line. `run` may be a `Run` or anything that yields its entries, so it need not lie in memory.
 * @throws ERR_ARGUMENT for a tag, query id or document id that is empty or holds white space, which the format
 * cannot carry, a document that appears twice for a query, or a score that is NaN; ERR_DISK if the file cannot be
 * written.
 */
export async function writeRun(target: string | Writable, run: RunSource, tag: string): Promise<void> {
  const text = runText(run, checked('tag', tag));
  if (typeof target !== 'string') {
    for await (const part of text) if (!target.write(part)) await once(target, 'drain');
    return;
  }
  try {
    await writeAtomic(target, text);
  } catch (cause) {
    if (cause instanceof SeineError || !(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw new SeineError(
      'ERR_DISK',
      `Expected to write the run to ${show(target)}, got: ${cause.message}; check the folder and its free space.`,
      { cause },
    );
  }
}

async function* runText(run: RunSource, tag: string): AsyncGenerator<string, void, undefined> {
  for await (const [query, entries] of run) {
    checked('query id', query);
    const scores = decreasingScores(entries.map((entry) => entry.score));
    const seen = new Set<string>();
    let text = '';
    for (const [i, { id }] of entries.entries()) {
      if (seen.has(checked('document id', id))) {
        throw new SeineError(
          'ERR_ARGUMENT',
          `Expected each document once per query, got ${show(id)} again for query ${show(query)}.`,
        );
      }
      seen.add(id);
      // Nine significant digits tell all float32 values apart and keep their order, also when read as float64.
      text += `${query} Q0 ${id} ${i + 1} ${Number(scores[i]!.toPrecision(9))} ${tag}\n`;
    }
    if (text !== '') yield text;
  }
}

function checked(what: string, value: string): string {
  if (value !== '' && !/\s/.test(value)) return value;
  throw new SeineError(
    'ERR_ARGUMENT',
    `Expected a ${what} without white space (a TREC run separates its fields by it), got ${show(value)}; ` +
      'rename it.',
  );
}
