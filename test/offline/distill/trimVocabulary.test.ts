import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { tokenizerOf } from '../../../ts/models/tokenizer.ts';
import { isScript, trimVocabulary } from '../../../ts/offline/distill/trimVocabulary.ts';
import { describeWithShared } from '../../helpers/describeWithShared.ts';

const template = (ids: Record<string, number>) => ({
  type: 'TemplateProcessing',
  special_tokens: Object.fromEntries(
    Object.entries(ids).map(([name, id]) => [name, { id: name, ids: [id], tokens: [name] }]),
  ),
});

describe('a vocabulary of some scripts', () => {
  const file = {
    model: {
      type: 'WordPiece',
      vocab: {
        '[PAD]': 0,
        '[unused0]': 1,
        '[CLS]': 2,
        кот: 3,
        cat: 4,
        '##ты': 5,
        '2': 6,
        α: 7,
        '##é': 8,
        '！': 9,
      },
    },
    added_tokens: [
      { id: 0, content: '[PAD]' },
      { id: 2, content: '[CLS]' },
    ],
    post_processor: template({ '[CLS]': 2 }),
  };

  test('keeps what they share and special tokens, in order', () => {
    const { tokenizer, rows } = trimVocabulary(file, ['Latin']);
    expect(tokenizer.model.vocab).toEqual({ '[PAD]': 0, '[CLS]': 1, cat: 2, '2': 3, '##é': 4, '！': 5 });
    expect(Array.from(rows)).toEqual([0, 2, 4, 6, 8, 9]);
    expect(tokenizer.added_tokens.map(({ id }) => id)).toEqual([0, 1]);
    expect(tokenizer.post_processor?.special_tokens?.['[CLS]']?.ids).toEqual([1]);
    expect(trimVocabulary(file, ['Latin', 'Greek']).rows).toContain(7);
    expect(trimVocabulary(file, ['Cyrillic']).rows).not.toContain(4);
  });

  test('is made of WordPiece with a template only', () => {
    const other = { ...file, model: { ...file.model, type: 'BPE' } };
    expect(() => trimVocabulary(other, ['Latin'])).toThrow(expect.objectContaining({ code: 'ERR_MODEL' }));
    const plain = { ...file, post_processor: { type: 'BertProcessing' } };
    expect(() => trimVocabulary(plain, ['Latin'])).toThrow(expect.objectContaining({ code: 'ERR_MODEL' }));
  });

  test('knows the names of scripts', () => {
    expect(['Latin', 'Old_Italic'].every(isScript)).toBe(true);
    expect(['latin', 'Klingon', 'Latin}|\\p{L', ''].some(isScript)).toBe(false);
  });
});

describeWithShared("MiniLM's vocabulary", 'models/all-MiniLM-L6-v2', (directory) => {
  const read = (name: string) => JSON.parse(readFileSync(join(directory, name), 'utf8'));
  const config = read('tokenizer_config.json');
  const { tokenizer, rows } = trimVocabulary(read('tokenizer.json'), ['Latin', 'Greek']);
  const whole = tokenizerOf(read('tokenizer.json'), config, directory);
  const trimmed = tokenizerOf(tokenizer as never, config, directory);

  test('cuts any text in the scripts that stay as before', () => {
    const letters = fc.constantFrom(...'aeiorstnlcdé ßñøÆαβω0129.,-–€½²\n\t😀', 'straße', 'naïve', '[MASK]');
    const words = fc.constantFrom(
      'supersonic',
      'engineer',
      'µ-law',
      'x²',
      '100%',
      'Zürich',
      'Ἀθῆναι',
      '[UNK]',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(letters, words), { maxLength: 40 }), fc.boolean(), (parts, spaced) => {
        const text = parts.join(spaced ? ' ' : '');
        const before = whole.single(text, 128);
        const after = trimmed.single(text, 128);
        expect(Array.from(after.ids, (id) => rows[id])).toEqual(Array.from(before.ids));
        expect(after.truncated).toBe(before.truncated);
      }),
      { numRuns: 2000 },
    );
  });

  test('makes unknown tokens of other scripts', () => {
    const unknown = tokenizer.model.vocab['[UNK]']!;
    expect(Array.from(trimmed.single('東京 cat', 16).ids).filter((id) => id === unknown)).toHaveLength(2);
    expect(whole.size - trimmed.size).toBeGreaterThan(2000);
  });
});
