// The texts that an embedder learns its teacher's vectors of, for collections.mjs.
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { random } from '../../dist/core/random.js';
import { readItems } from '../../dist/offline/distill/collection.js';
import { nearDuplicates } from '../../dist/offline/distill/nearDuplicates.js';
import { readWordnet } from '../../dist/offline/distill/wordnet.js';
import { synsetText } from '../../dist/offline/distill/wordnetQueries.js';

/** Texts without queries: of WordNet, of postings (in part), of O*NET and ESCO, and of what people asked. */
const [GLOSSES, NAMES, EXAMPLES, FAMILIES] = [32_000, 10_000, 8000, 7000];
const [CROPS, HEADS, TASKS, TOOLS, SPOKEN, SKILLS] = [6000, 2500, 4000, 4000, 4000, 4000];

/**
 * Texts of many kinds, from which an embedder learns its teacher's vectors: nothing of them is graded. Those that are nearly
 * a dev or a test query of the other collections, which are made first, are left out.
 */
export async function readTexts({ data, wordnet, target }) {
  const generator = random(6);
  const drawn = (items, count) => generator.shuffle([...items]).slice(0, count);
  const lines = async (path) => (await readFile(`${data}/${path}`, 'utf8')).trim().split('\n');
  const objects = async (path) => (await lines(path)).map((line) => JSON.parse(line));
  const synsets = await readWordnet(wordnet);
  const examples = synsets.flatMap((synset) => synset.examples);
  const postings = await objects('jobs/corpus.jsonl');
  const tasks = (await lines('onet27/Task Statements.txt')).slice(1).map((line) => line.split('\t')[2]);
  const groups = await described('ISCOGroups_en.csv');
  const skills = (
    await Promise.all(
      ['digital', 'green', 'research'].map((kind) => described(`${kind}SkillsCollection_en.csv`)),
    )
  ).flat();
  const tools = (await lines('onet27/Technology Skills.txt')).slice(1).map((line) => line.split('\t')[1]);
  const { train } = JSON.parse(await readFile(`${data}/clinc150/data_full.json`, 'utf8'));
  const utterances = [];
  for (const file of (await readdir(`${data}/snips`)).filter((name) => name.startsWith('train_')).sort()) {
    for (const made of Object.values(JSON.parse(await readFile(`${data}/snips/${file}`, 'utf8')))) {
      utterances.push(
        ...made.map(({ data: parts }) =>
          parts
            .map(({ text }) => text)
            .join('')
            .trim(),
        ),
      );
    }
  }
  const asked = [
    ...(await objects('exa_people/simple_people_search.jsonl')),
    ...(await objects('exa_people/simple_company_search.jsonl')),
  ];
  const all = [
    ...drawn(synsets, GLOSSES).map(synsetText),
    ...drawn(
      synsets.flatMap(({ lemmas }) => lemmas),
      NAMES,
    ),
    ...drawn(examples, EXAMPLES),
    ...drawn(postings, CROPS).map(({ title, text }) => crop(`${title} ${text}`, 8 + generator.below(60))),
    ...drawn(postings, HEADS).map(({ title, text }) => crop(`${title} ${text}`, 100)),
    ...drawn(families(synsets), FAMILIES),
    ...drawn(tasks, TASKS),
    ...groups,
    ...drawn(skills, SKILLS),
    ...drawn(new Set(tools), TOOLS),
    ...drawn(
      train.map(([text]) => text),
      SPOKEN,
    ),
    ...drawn(utterances, SPOKEN),
    ...asked.map(({ text }) => text),
  ];
  const held = [];
  const folders = (await readdir(target)).map((name) => `${target}/${name}`);
  for (const folder of [`${data}/jobs`, ...folders.sort()]) {
    const files = ['dev', 'test'].map((split) => `${folder}/queries.${split}.jsonl`).filter(existsSync);
    for (const file of files) held.push(...(await readItems(file)).map(({ text }) => text));
  }
  const distinct = [...new Set(all.filter((text) => text !== ''))];
  const gone = nearDuplicates(distinct, held, { shingle: 5, similarity: 0.8 }).map(
    ({ text }) => distinct[text],
  );
  return distinct.filter((text) => !gone.includes(text));

  /** Name and description of what a file of ESCO lists. */
  async function described(file) {
    const rows = parse(await readFile(`${data}/esco_en/${file}`, 'utf8'), { columns: true, bom: true });
    return rows.map((row) => `${row.preferredLabel} ${row.description.replace(/\s+/g, ' ').trim()}`);
  }

  /** A kind with what it is the kind of: definitions in a row, 60 to 180 words, as long as an abstract. */
  function families(all) {
    const kinds = new Map();
    for (const synset of all) {
      for (const id of synset.hypernyms) kinds.set(id, [...(kinds.get(id) ?? []), synset]);
    }
    return all.flatMap((synset) => {
      const members = kinds.get(synset.id) ?? [];
      const texts = [synset, ...generator.shuffle([...members])].map(
        ({ lemmas, definition }) => `${lemmas[0]}: ${definition}.`,
      );
      const words = texts.join(' ').split(' ');
      return words.length < 60 ? [] : [words.slice(0, 60 + generator.below(120)).join(' ')];
    });
  }

  /** So many words in a row, from a place that is drawn. */
  function crop(text, count) {
    const words = text.split(/\s+/);
    const first = generator.below(Math.max(1, words.length - count));
    return words.slice(first, first + count).join(' ');
  }
}
