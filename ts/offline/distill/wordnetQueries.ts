import type { Random } from '../../core/random.ts';
import type { Synset } from './wordnet.ts';

/** How a synset reads as a document: its names, then its definition. */
export const synsetText = ({ lemmas, definition }: Synset): string => `${lemmas.join(', ')} ${definition}`;

const STOP = new Set(
  (
    'a an the of or and to in for with by on at from as that which who is are be being been used using usually ' +
    'especially something someone one having has have not any it its their his her into out up etc such'
  ).split(' '),
);

export interface WordnetQueries {
  /** A made-up description of the synset, or nothing if its definition is too short. */
  describe(synset: Synset): string | undefined;
}

/**
 * Makes descriptions of synsets in other words than their definitions: words are dropped, replaced by a synonym or by
 * a more general name, and the description often begins with what kind of thing it is.
 */
export function wordnetQueries(synsets: readonly Synset[], random: Random): WordnetQueries {
  const byId = new Map(synsets.map((synset) => [synset.id, synset]));
  const senses = new Map<string, Synset>();
  for (const synset of synsets) {
    for (const lemma of synset.lemmas) {
      const name = lemma.toLowerCase();
      if (!senses.has(name)) senses.set(name, synset);
    }
  }
  const pick = <T>(items: readonly T[]): T => items[random.below(items.length)]!;

  /** Another name for a word by its first sense, or the word itself. */
  const substitute = (word: string): string => {
    const bare = word.toLowerCase().replace(/[^a-z-]/g, '');
    const sense = senses.get(bare) ?? senses.get(bare.replace(/s$/, ''));
    if (!sense) return word;
    const others = sense.lemmas.filter((lemma) => lemma.toLowerCase() !== bare);
    if (others.length > 0) return pick(others);
    const general = byId.get(sense.hypernyms[0] ?? '');
    return general && random.next() < 0.5 ? general.lemmas[0]! : word;
  };

  return {
    describe(synset) {
      const words = synset.definition.split(/\s+/);
      const content = words.filter((word) => !STOP.has(word.toLowerCase()));
      if (content.length < 3) return undefined;
      const drop = 0.1 + 0.5 * random.next();
      const replace = 0.1 + 0.4 * random.next();
      const kept = words.flatMap((word) => {
        if (STOP.has(word.toLowerCase())) return random.next() < 0.7 ? [word] : [];
        if (random.next() < drop) return [];
        return [random.next() < replace ? substitute(word) : word];
      });
      const general = byId.get(synset.hypernyms[0] ?? '');
      const kind =
        general && random.next() < 0.5 ? [random.next() < 0.5 ? 'a' : 'kind of', pick(general.lemmas)] : [];
      const names = new Set(synset.lemmas.map((lemma) => lemma.toLowerCase()));
      const text = [...kind, ...kept].filter((word) => !names.has(word.toLowerCase())).join(' ');
      return text.replace(/[;,()]+/g, '').split(' ').length < 3 ? undefined : text.replace(/[;,()]+/g, '');
    },
  };
}
