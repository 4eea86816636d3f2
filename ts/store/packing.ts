import { SeineError, show } from '../core/errors.ts';
import type { Document } from '../core/types.ts';
import { expectArgument, expectInteger } from './arguments.ts';
import { decodeAttributes, encodeAttributes } from './attributes.ts';
import type { PackedDocument, PackedPart, PackedVectors, RawDocument } from './protocol.ts';
import type { EncodedDocument, Passage, StoredDocument } from './types.ts';

/** Half of a surrogate pair has no UTF-8: it becomes U+FFFD, which keeps the offsets of everything else. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** Checks and copies documents for the worker. Errors: ERR_ARGUMENT, ERR_DATA. */
export function packDocuments(documents: readonly Document[]): PackedDocument[] {
  expectArgument(Array.isArray(documents), 'documents', 'an array of documents', documents);
  return documents.map((document) => {
    const { id, title = '', text, attributes } = document ?? {};
    if (typeof id !== 'string' || id === '' || /[\0\p{Surrogate}]/u.test(id)) {
      throw new SeineError(
        'ERR_DATA',
        `A document's id must be a string of text that is not empty, got ${show(id)}.`,
      );
    }
    if (typeof text !== 'string') {
      throw new SeineError('ERR_DATA', `Document ${show(id)}: text must be a string, got ${show(text)}.`);
    }
    if (typeof title !== 'string') {
      throw new SeineError('ERR_DATA', `Document ${show(id)}: title must be a string, got ${show(title)}.`);
    }
    const { json, types } = encodeAttributes(id, attributes);
    return {
      id,
      title: wellFormed(title),
      text: wellFormed(text),
      attributes: json,
      types,
    };
  });
}

/** Copies passages for the worker, in one piece. `texts` bounds their ranges where it is known. */
export function packVectors(passagesOf: readonly Passage[][], texts?: readonly string[]): PackedVectors {
  const counts = Uint32Array.from(passagesOf, (passages) => {
    expectArgument(Array.isArray(passages), 'passages', 'an array of passages', passages);
    return passages.length;
  });
  const all = passagesOf.flat();
  const dim = all[0]?.vector?.length ?? 0;
  const packed: PackedVectors = {
    counts,
    starts: new Uint32Array(all.length),
    ends: new Uint32Array(all.length),
    dim,
    data: new Float32Array(all.length * dim),
  };
  let index = 0;
  for (const [document, passages] of passagesOf.entries()) {
    const limit = texts?.[document]?.length ?? 0xffffffff;
    for (const { start, end, vector } of passages) {
      expectInteger(start, 'start of a passage', 0);
      expectInteger(end, 'end of a passage', start);
      expectArgument(end <= limit, 'end of a passage', `at most the text's length ${limit}`, end);
      expectArgument(vector instanceof Float32Array, 'vector of a passage', 'a Float32Array', vector);
      if (vector.length !== dim) {
        throw new SeineError(
          'ERR_DIMENSION',
          `Vectors of one call must have one length: the first has ${dim}, number ${index} has ${vector.length}.`,
        );
      }
      packed.starts[index] = start;
      packed.ends[index] = end;
      packed.data.set(vector, index * dim);
      index++;
    }
  }
  return packed;
}

/** Documents with their vectors. */
export function packEncoded(documents: readonly EncodedDocument[]): PackedPart {
  const packed = packDocuments(documents);
  const vectors = packVectors(
    documents.map((document) => document.passages),
    packed.map((document) => document.text),
  );
  return { documents: packed, vectors };
}

/** The buffers of packed vectors, to be transferred. */
export function buffersOf(vectors: PackedVectors): ArrayBuffer[] {
  return [vectors.counts, vectors.starts, vectors.ends, vectors.data].map(
    (array) => array.buffer as ArrayBuffer,
  );
}

/** A document as users see it. */
export function unpackDocument(raw: RawDocument): StoredDocument {
  const { doc, id, title, text, attributes, live } = raw;
  return { doc, id, title, text, attributes: decodeAttributes(attributes), live };
}
