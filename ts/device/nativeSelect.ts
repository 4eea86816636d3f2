import type { BackendDevice, Found } from './device.ts';
import { type NativeAddon, type NativeBackend, nativeError } from './native.ts';

/** `select` and `merge` of a device of the addon. */
export function nativeSelect(
  addon: NativeAddon,
  backend: NativeBackend,
): Pick<BackendDevice, 'select' | 'merge'> {
  return {
    select: ({ scores, q, n, k, lowest }) =>
      intoFound(q, k, (found) => addon.select(backend, scores, q, n, k, lowest, found.ids, found.scores)),
    merge: ({ ids, scores, starts, q, lists, k, lowest }) =>
      intoFound(q, k, (found) =>
        addon.merge(backend, ids, scores, starts, q, lists, k, lowest, found.ids, found.scores),
      ),
  };
}

async function intoFound(q: number, k: number, work: (found: Found) => Promise<void>): Promise<Found> {
  try {
    const found = { ids: new Uint32Array(q * k), scores: new Float32Array(q * k) };
    await work(found);
    return found;
  } catch (error) {
    throw nativeError(error);
  }
}
