import type { Document } from '../../../ts/core/types.ts';
import type { IngestTarget, UpsertCounts, UpsertOptions } from '../../../ts/offline/ingest/ingest.ts';

/** An index in memory that keeps the contract: unchanged documents are known and not encoded. */
export class MemoryTarget implements IngestTarget {
  readonly documents = new Map<string, Document>();
  /** Ids of all documents that were encoded, in order. */
  readonly encoded: string[] = [];
  commits = 0;
  /** Called before each commit. */
  before: (commit: number, options: UpsertOptions) => void | Promise<void> = () => {};

  async upsert(documents: Document[], options: UpsertOptions): Promise<UpsertCounts> {
    await this.before(this.commits, options);
    options.signal?.throwIfAborted();
    const counts = { inserted: 0, updated: 0, unchanged: 0, tokens: 0, truncated: 0 };
    for (const document of documents) {
      const stored = this.documents.get(document.id);
      if (stored === undefined) counts.inserted++;
      else if (JSON.stringify(stored) === JSON.stringify(document)) {
        counts.unchanged++;
        continue;
      } else counts.updated++;
      counts.tokens += document.text.split(' ').length;
      this.encoded.push(document.id);
      this.documents.set(document.id, document);
    }
    options.onProgress?.({ tokens: counts.tokens });
    this.commits++;
    return counts;
  }
}
