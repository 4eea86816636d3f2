import type { SeineIndex } from '../seineIndex.ts';
import type { IndexOptions } from './options.ts';

interface Purpose {
  maxTokens?: number | undefined;
  passages?: boolean | undefined;
}

/** Opens an index for searching, beside a process that may be writing to it; it must be there. */
export async function openForSearch(options: IndexOptions): Promise<SeineIndex> {
  const { open } = await import('../open.ts'); // the models' and devices' libraries are not loaded for --help
  const { embedder, ranker, precision, provider, device, devices } = options;
  return open(options.index, { embedder, ranker, precision, provider, device, devices, readonly: true });
}

/** Opens an index for writing, or makes it; nothing is ranked. */
export async function openForWriting(options: IndexOptions & Purpose): Promise<SeineIndex> {
  const { open } = await import('../open.ts');
  const { embedder, provider, maxTokens, passages } = options;
  return open(options.index, { embedder, ranker: 'none', provider, maxTokens, passages });
}
