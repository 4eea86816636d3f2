import type { FastifyReply, FastifyRequest } from 'fastify';
import { admitted } from './admitted.ts';
import type { Service } from './service.ts';
import { SliceSizer } from './sliceSizer.ts';
import { sliceEnd, textUnits } from './slices.ts';

export interface EmbeddedSlices<T> {
  /** By text. */
  vectors: T[];
  tokens: number;
}

/** Shared by all requests. */
const sizers = new WeakMap<Service, SliceSizer>();
/** Units of the first slice, before anything has been measured. */
const FIRST_UNITS = 16_384;

export interface EmbedSlicesOptions<T> {
  kind: 'query' | 'document';
  /** Makes of a vector `[dim]` what is sent, within the slice, so that nothing long is left for the end. */
  write(vector: Float32Array): T;
  /** Told the first text of a slice of which the embedder read only the head; if it throws, the others are not read. */
  onTruncated?: ((text: number) => void) | undefined;
}

/** Embeds texts slice by slice, each of which is admitted by itself, and only the first of which may be refused. */
export async function embedSlices<T>(
  service: Service,
  request: FastifyRequest,
  reply: FastifyReply,
  texts: string[],
  { kind, write, onTruncated }: EmbedSlicesOptions<T>,
): Promise<EmbeddedSlices<T>> {
  const sizer = sizers.get(service) ?? new SliceSizer(FIRST_UNITS);
  sizers.set(service, sizer);
  const units = texts.map((text) => textUnits(text));
  const done: EmbeddedSlices<T> = { vectors: [], tokens: 0 };
  for (let start = 0; start < texts.length; ) {
    const slice = sliceEnd(units, start, sizer.units);
    await admitted(service, request, reply, { begun: start > 0 }, async ({ signal }) => {
      const begun = performance.now();
      const part = await service.index.embed(texts.slice(start, slice.end), kind, {
        background: true,
        signal,
      });
      const [truncated] = part.truncatedTexts;
      if (truncated !== undefined) onTruncated?.(start + truncated);
      for (let i = 0; i < slice.end - start; i++) {
        done.vectors.push(write(part.vectors.subarray(i * part.dim, (i + 1) * part.dim)));
      }
      done.tokens += part.tokens;
      sizer.observe(slice.units, performance.now() - begun);
    });
    start = slice.end;
  }
  return done;
}
