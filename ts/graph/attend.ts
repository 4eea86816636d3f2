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
  return net.matmul(net.dropout(net.softmax(net.add(similarity, hide))), values);
}
