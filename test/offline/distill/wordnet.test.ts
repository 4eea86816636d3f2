import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { random } from '../../../ts/core/random.ts';
import { readWordnet } from '../../../ts/offline/distill/wordnet.ts';
import { wordnetQueries } from '../../../ts/offline/distill/wordnetQueries.ts';

test('WordNet is read with names, definition, examples and hypernyms, and described in other words', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'seine-wordnet-'));
  const header = '  1 This software and database is being provided to you  \n';
  const noun =
    '00001740 03 n 01 entity 0 000 | that which is perceived  \n' +
    '00002684 03 n 02 object 0 physical_object 0 002 @ 00001740 n 0000 ~ 00003553 n 0000 | a tangible and visible ' +
    'thing; an entity that casts a shadow; "it was full of rackets"  \n';
  const adjective =
    '00003552 00 s 01 emergent(a) 0 001 & 00003356 a 0000 | coming into existence; "an emergent republic"  \n';
  try {
    for (const name of ['verb', 'adv']) writeFileSync(join(folder, `data.${name}`), header);
    writeFileSync(join(folder, 'data.noun'), header + noun);
    writeFileSync(join(folder, 'data.adj'), header + adjective);
    const synsets = await readWordnet(folder);
    expect(synsets.map(({ id }) => id)).toEqual(['n00001740', 'n00002684', 'a00003552']);
    expect(synsets[1]).toEqual({
      id: 'n00002684',
      lemmas: ['object', 'physical object'],
      definition: 'a tangible and visible thing; an entity that casts a shadow',
      examples: ['it was full of rackets'],
      hypernyms: ['n00001740'],
    });
    expect(synsets[2]!.lemmas).toEqual(['emergent']);
    const made = wordnetQueries(synsets, random(3));
    for (let i = 0; i < 30; i++) expect(made.describe(synsets[1]!) ?? '').not.toMatch(/\bobject\b/);
    writeFileSync(join(folder, 'data.noun'), '');
    rmSync(join(folder, 'data.verb'));
    await expect(readWordnet(folder)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
