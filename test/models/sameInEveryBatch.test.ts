import { expect, test } from '@jest/globals';
import { DEFAULT_EMBEDDER } from '../../ts/core/defaults.ts';
import { openEncoder } from '../../ts/models/encoder.ts';

test('a vector of the default embedder is the same to the bit, whatever else is in its batch', async () => {
  const encoder = await openEncoder(DEFAULT_EMBEDDER);
  const texts = [
    '',
    'beat soundly',
    'scrub with a holystone, as sailors do',
    'wards at night '.repeat(60),
    'x',
  ];
  const { vectors } = await encoder.encode(texts, { kind: 'document' });
  const dim = vectors.length / texts.length;
  for (const [i, text] of texts.entries()) {
    const alone = await encoder.encode([text], { kind: 'document' });
    expect(alone.vectors).toEqual(vectors.slice(i * dim, (i + 1) * dim));
    const repeated = await encoder.encode(new Array<string>(5).fill(text), { kind: 'document' });
    expect(repeated.vectors.slice(-dim)).toEqual(alone.vectors);
  }
  await encoder.close();
});
