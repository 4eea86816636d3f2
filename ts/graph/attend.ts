import type { Autodiff } from './autodiff.ts';
import type { Tensor } from './graph.ts';

/**
 * Scaled dot-product attention (A. Vaswani et al., 2017): `softmax(Q·Kᵀ / √width + hide) · V` for queries, keys and
 * values `[..., sequence, width]`; `hide` is added to the similarities `[..., queries, keys]`.
 */
export function attend(net: Autodiff, queries: Tensor, keys: Tensor, values: Tensor, hide: Tensor): Tensor {
  const axes = keys.shape.map((_, axis) => axis);
  const swapped = [...axes.slice(0, -2), axes.length - 1, axes.length - 2];
  const width = keys.shape.at(-1) as number;
  const similarity = net.scale(net.matmul(queries, net.transpose(keys, swapped)), 1 / Math.sqrt(width));
  const hidden = similarity.requiresGrad ? spread(net, hide, similarity) : hide;
  return net.matmul(net.dropout(net.softmax(net.add(similarity, hidden))), values);
}

/** What hides keys, in the shape of the similarities of the layer that asked last. */
const spreads = new WeakMap<Tensor, Tensor>();

/**
 * The same in the shape of similarities, made once for all layers: adding what is broadcast takes ONNX Runtime more
 * than twice as long.
 */
function spread({ graph }: Autodiff, hide: Tensor, similarity: Tensor): Tensor {
  const { shape } = similarity;
  const known = spreads.get(hide);
  if (known?.shape.join() === shape.join()) return known;
  const made = graph.emit('Expand', [hide, graph.shapeOf(similarity)], shape);
  spreads.set(hide, made);
  return made;
}
