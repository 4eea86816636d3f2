import type { Loss } from './loss.ts';

/** The weighted sum of losses. */
export function mixed(parts: readonly { loss: Loss; weight: number }[]): Loss {
  const nameOf = (part: number, name: string): string => `loss${part}.${name}`;
  return {
    feeds(judged) {
      const feeds = parts.flatMap(({ loss }, part) =>
        Object.entries(loss.feeds(judged)).map(([name, tensor]) => [nameOf(part, name), tensor] as const),
      );
      return Object.fromEntries(feeds);
    },
    emit(net, scores, input) {
      return parts
        .map(({ loss, weight }, part) =>
          net.scale(
            loss.emit(net, scores, (name, shape) => input(nameOf(part, name), shape)),
            weight,
          ),
        )
        .reduce((sum, value) => net.add(sum, value));
    },
  };
}
