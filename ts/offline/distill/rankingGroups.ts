import { random } from '../../core/random.ts';
import type { Qrels } from '../../core/types.ts';
import type { Tokenizer } from '../../models/tokenizer.ts';
import type { RankingGroup } from '../../train/rankerTraining.ts';
import { fusedCandidates } from './candidates.ts';
import type { TextItem } from './collection.ts';
import { drawGroup } from './drawGroup.ts';
import { staticVectors } from './staticVectors.ts';
import type { Synset } from './wordnet.ts';
import { synsetText, wordnetQueries } from './wordnetQueries.ts';

export interface MiningOptions {
  /** Graph of the static embedder that finds the dense candidates. */
  embedder: string;
  tokenizer: Tokenizer;
  /** Groups wanted. */
  count: number;
  /** Documents of a group. */
  size: number;
  /** Length of each candidate list. */
  depth: number;
  seed: number;
}

/** Groups of a graded collection, from up to `count` of its queries in random order, again from the first if short. */
export async function collectionGroups(
  documents: readonly TextItem[],
  queries: readonly TextItem[],
  qrels: Qrels,
  kin: (document: TextItem) => unknown,
  options: MiningOptions,
): Promise<RankingGroup[]> {
  const generator = random(options.seed);
  const chosen = generator.shuffle([...queries]).slice(0, options.count);
  const candidates = await candidatesOf(
    documents.map(({ text }) => text),
    chosen.map(({ text }) => text),
    options,
  );
  const byId = new Map(documents.map(({ id }, i) => [id, i]));
  const groups: RankingGroup[] = [];
  for (let pass = 0; groups.length < options.count && (pass === 0 || groups.length > 0); pass++) {
    for (const [i, query] of chosen.entries()) {
      if (groups.length === options.count) break;
      const graded = { query, grades: qrels.get(query.id) ?? new Map(), candidates: candidates[i]! };
      const group = drawGroup(graded, documents, byId, kin, options.size, generator);
      if (group) groups.push(group);
    }
  }
  return groups;
}

/** Groups that ask for a synset by a made-up description; the others of a group are what search finds for it. */
export async function wordnetGroups(
  synsets: readonly Synset[],
  options: MiningOptions,
): Promise<RankingGroup[]> {
  const generator = random(options.seed);
  const texts = synsets.map(synsetText);
  const made = wordnetQueries(synsets, generator);
  const targets: number[] = [];
  const queries: string[] = [];
  while (queries.length < options.count) {
    const target = generator.below(synsets.length);
    const query = made.describe(synsets[target]!);
    if (query === undefined) continue;
    targets.push(target);
    queries.push(query);
  }
  const candidates = await candidatesOf(texts, queries, options);
  return queries.map((query, i) => {
    const target = targets[i]!;
    const others = candidates[i]!.map(({ document }) => document).filter((document) => document !== target);
    const hard = generator.shuffle(others.slice(0, 40));
    const chosen = new Set([target, ...hard.slice(0, options.size - 2)]);
    while (chosen.size < options.size) chosen.add(generator.below(texts.length));
    const list = generator.shuffle([...chosen]);
    return {
      query,
      documents: list.map((index) => texts[index]!),
      grades: list.map((index) => (index === target ? 3 : 0)),
    };
  });
}

async function candidatesOf(
  documents: readonly string[],
  queries: readonly string[],
  { embedder, tokenizer, depth }: MiningOptions,
): ReturnType<typeof fusedCandidates> {
  const { vectors: documentVectors, dim } = await staticVectors(embedder, tokenizer, documents, 254);
  const { vectors: queryVectors } = await staticVectors(embedder, tokenizer, queries, 254);
  return fusedCandidates({ documents, documentVectors, queries, queryVectors, dim, depth });
}
