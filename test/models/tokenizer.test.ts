import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer as Library } from '@huggingface/tokenizers';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openTokenizer, type Tokenizer } from '../../ts/models/tokenizer.ts';
import { encodesByWords } from '../../ts/models/wordPieces.ts';
import { TOKENIZER, VOCAB, withFolder, writeModel } from './tinyModel.ts';

const MINILM = '../shared/models/all-MiniLM-L6-v2';
const hasMiniLm = existsSync(MINILM);
if (!hasMiniLm) console.warn(`Tests with the real tokenizer are skipped: there is no ${MINILM}.`);
const withMiniLm = hasMiniLm ? test : test.skip;

const tiny = (): Promise<Tokenizer> =>
  withFolder(async (folder) => {
    writeModel(folder, { 'tokenizer.json': TOKENIZER });
    return openTokenizer(join(folder, 'tokenizer.json'));
  });
const ids = (...tokens: string[]): number[] => tokens.map((token) => VOCAB.get(token)!);

/** Strings in which everything happens that a tokenizer distinguishes. */
const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        ' ',
        '\n',
        '\t',
        '\v',
        '\f',
        '\u00a0',
        '\u2028',
        '\u3000',
        '\ufeff',
        '\u0085',
        '\u200b',
      ),
      fc.constantFrom(
        'Σ',
        'ΑΣ',
        'İ',
        'é',
        'e\u0301',
        '\u0301',
        '中文',
        'ﬁ',
        '한국어',
        '𠮷',
        '🙂',
        '\ud83d',
        '\udc00',
      ),
      fc.constantFrom(
        '[SEP]',
        '[MASK]',
        '[CLS',
        ']',
        'TypeScript',
        'rivers',
        'seaing',
        "don't",
        'C++',
        '$120,000',
      ),
      fc.constant('x'.repeat(120)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

describe('tokenizer', () => {
  test('puts special tokens around one text and two', async () => {
    const tokenizer = await tiny();
    const sea = tokenizer.single('Sea!', 16);
    expect([...sea.ids]).toEqual(ids('[CLS]', 'sea', '!', '[SEP]'));
    const pair = tokenizer.pair(tokenizer.part('river', 8), tokenizer.part('seaing', 8));
    expect([...pair.ids]).toEqual(ids('[CLS]', 'river', '[SEP]', 'sea', '##ing', '[SEP]'));
    expect([...pair.types]).toEqual([0, 0, 0, 1, 1, 1]);
    expect(tokenizer.specials).toEqual({ single: 2, pair: 3 });
    expect(tokenizer.size).toBe(VOCAB.size);
  });

  test('cuts to the limit, keeps the special tokens and says so', async () => {
    const tokenizer = await tiny();
    const cut = tokenizer.single('sea river sea river', 5);
    expect([...cut.ids]).toEqual(ids('[CLS]', 'sea', 'river', 'sea', '[SEP]'));
    expect(cut.truncated).toBe(true);
    expect(tokenizer.single('sea river sea', 5).truncated).toBe(false);
    expect([...tokenizer.single('', 5).ids]).toEqual(ids('[CLS]', '[SEP]'));
    expect(tokenizer.single(' \n ', 5).truncated).toBe(false);
  });

  test('takes megabytes and broken strings', async () => {
    const tokenizer = await tiny();
    expect([...tokenizer.single('sea '.repeat(3_000_000), 4).ids]).toEqual(
      ids('[CLS]', 'sea', 'sea', '[SEP]'),
    );
    const word = tokenizer.single('x'.repeat(10_000_000), 8);
    expect([...word.ids]).toEqual(ids('[CLS]', '[UNK]', '[SEP]'));
    expect(word.truncated).toBe(true);
    expect([...tokenizer.single('sea\ud800 \udfffriver', 8).ids]).toEqual(
      ids('[CLS]', 'sea', 'river', '[SEP]'),
    );
  });

  test('word by word gives what the library gives', async () => {
    const tokenizer = await tiny();
    const library = new Library(TOKENIZER, {});
    expect(encodesByWords(TOKENIZER, {})).toBe(true);
    fc.assert(
      fc.property(text, (value) => {
        expect([...tokenizer.single(value, 4096).ids]).toEqual(library.encode(value).ids);
      }),
      { numRuns: 500 },
    );
  });

  test('a tokenizer that looks beyond words is left to the library', async () => {
    const added = { ...TOKENIZER, added_tokens: [...TOKENIZER.added_tokens, { id: 75, content: 'a b' }] };
    expect(encodesByWords(added, {})).toBe(false);
    expect(encodesByWords({ ...TOKENIZER, pre_tokenizer: { type: 'Whitespace' } }, {})).toBe(false);
    await withFolder(async (folder) => {
      const spaced = { ...TOKENIZER, pre_tokenizer: { type: 'Whitespace' } };
      writeModel(folder, { 'tokenizer.json': spaced });
      const tokenizer = await openTokenizer(join(folder, 'tokenizer.json'));
      const cut = tokenizer.single('sea river sea', 4);
      expect([...cut.ids]).toEqual(ids('[CLS]', 'sea', 'river', '[SEP]'));
      expect(cut.truncated).toBe(true);
    });
  });

  test('damaged files are refused by name', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'tokenizer.json');
      const refused = (content: string | object, message: RegExp): Promise<void> => {
        writeModel(folder, { 'tokenizer.json': content });
        return expect(openTokenizer(path)).rejects.toThrow(
          expect.objectContaining({ code: 'ERR_MODEL', message: expect.stringMatching(message) }),
        );
      };
      await refused('{"model": ', /tokenizer\.json should be readable JSON/);
      await refused('[]', /should hold a JSON object/);
      await refused({ ...TOKENIZER, model: { type: 'Nonsense' } }, /should describe a tokenizer/);
    });
  });

  withMiniLm('MiniLM: word by word gives what the library gives', async () => {
    const read = (name: string) => JSON.parse(readFileSync(join(MINILM, name), 'utf8')) as object;
    const library = new Library(read('tokenizer.json'), read('tokenizer_config.json'));
    const paths = [join(MINILM, 'tokenizer.json'), join(MINILM, 'tokenizer_config.json')] as const;
    const tokenizer = await openTokenizer(...paths);
    fc.assert(
      fc.property(text, (value) => {
        expect([...tokenizer.single(value, 4096).ids]).toEqual(library.encode(value).ids);
      }),
      { numRuns: 500 },
    );
    const corpus = '../shared/data/jobs/corpus.jsonl';
    const lines = readFileSync(corpus, 'utf8').split('\n').slice(0, 60);
    for (const line of lines) expect([...tokenizer.single(line, 1e5).ids]).toEqual(library.encode(line).ids);
  });
});
