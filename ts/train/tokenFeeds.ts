import type { Tensor } from '../models/session.ts';
import type { TokenIds } from '../models/tokenizer.ts';

/** Texts are padded to a multiple of it, for products of whole vector registers. */
const LENGTH_STEP = 8;

/** The length that texts are padded to, `most` at most. */
export function paddedLength(texts: readonly TokenIds[], most: number): number {
  const longest = texts.reduce((length, { ids }) => Math.max(length, ids.length), 1);
  return Math.min(most, Math.ceil(longest / LENGTH_STEP) * LENGTH_STEP);
}

/** The inputs `name.ids`, `name.mask` and, if wanted, `name.types`: `[texts, length]`, padding on the right. */
export function tokenFeeds(
  name: string,
  texts: readonly TokenIds[],
  length: number,
  { padId, takesTypes }: { padId: number; takesTypes: boolean },
): Record<string, Tensor> {
  const tensor = (fill: (into: BigInt64Array, text: TokenIds) => void, padding = 0): Tensor => {
    const data = new BigInt64Array(texts.length * length).fill(BigInt(padding));
    for (const [i, text] of texts.entries()) fill(data.subarray(i * length, (i + 1) * length), text);
    return { type: 'int64', dims: [texts.length, length], data };
  };
  return {
    [`${name}.ids`]: tensor((into, { ids }) => into.set(BigInt64Array.from(ids, BigInt)), padId),
    [`${name}.mask`]: tensor((into, { ids }) => into.fill(1n, 0, ids.length)),
    ...(takesTypes && {
      [`${name}.types`]: tensor((into, { types }) => into.set(BigInt64Array.from(types, BigInt))),
    }),
  };
}
