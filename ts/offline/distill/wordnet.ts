import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SeineError } from '../../core/errors.ts';

/** A set of synonyms with its definition. */
export interface Synset {
  /** Part of speech and byte offset, such as `n00001740`. */
  id: string;
  /** Names with blanks instead of underscores; syntactic markers are taken off. */
  lemmas: string[];
  /** The gloss without its examples. */
  definition: string;
  examples: string[];
  /** Ids of more general synsets. */
  hypernyms: string[];
}

/** File and the letter that stands for its part of speech in pointers and ids. */
const FILES = { noun: 'n', verb: 'v', adj: 'a', adv: 'r' } as const;

/** Reads the `data.*` files of a WordNet database directory, in file order. */
export async function readWordnet(directory: string): Promise<Synset[]> {
  const synsets: Synset[] = [];
  for (const [name, part] of Object.entries(FILES)) {
    const path = join(directory, `data.${name}`);
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      throw new SeineError('ERR_NOT_FOUND', `A WordNet data file should be at ${path}: check the path.`, {
        cause: error,
      });
    }
    for (const line of text.split('\n')) {
      if (line !== '' && !line.startsWith('  ')) synsets.push(parseSynset(line, part));
    }
  }
  return synsets;
}

/** A line of a data file: `offset lex type count(hex) [lemma id]… count [symbol offset pos sourceTarget]… | gloss` */
function parseSynset(line: string, part: string): Synset {
  const bar = line.indexOf(' | ');
  const fields = line.slice(0, bar).split(' ');
  const count = Number.parseInt(fields[3]!, 16);
  const lemmas = Array.from({ length: count }, (_, i) =>
    fields[4 + 2 * i]!.replace(/\((?:a|p|ip)\)$/, '').replaceAll('_', ' '),
  );
  const pointers = 4 + 2 * count;
  const hypernyms: string[] = [];
  for (let i = 0; i < Number(fields[pointers]); i++) {
    const [symbol, offset, target] = fields.slice(pointers + 1 + 4 * i, pointers + 4 + 4 * i);
    if (symbol === '@' || symbol === '@i') hypernyms.push(target! + offset!);
  }
  const gloss = line.slice(bar + 3).trim();
  const examples = Array.from(gloss.matchAll(/"([^"]+)"/g), (match) => match[1]!);
  const quote = gloss.indexOf('"');
  const definition = (quote < 0 ? gloss : gloss.slice(0, quote)).replace(/[;:\s]+$/, '');
  return { id: part + fields[0], lemmas, definition, examples, hypernyms };
}
