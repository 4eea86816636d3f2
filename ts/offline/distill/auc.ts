/**
 * Area under the ROC curve of scores for events that happened `positives` out of `views` times: the probability that a view
 * with the event has a higher score than one without, ties half. NaN if there is no event or nothing else.
 */
export function auc(
  scores: ArrayLike<number>,
  positives: ArrayLike<number>,
  views: ArrayLike<number>,
): number {
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[a]! - scores[b]!);
  let [below, won, events] = [0, 0, 0];
  for (let from = 0; from < order.length; ) {
    let to = from;
    let [here, others] = [0, 0];
    while (to < order.length && scores[order[to]!] === scores[order[from]!]) {
      here += positives[order[to]!]!;
      others += views[order[to]!]! - positives[order[to]!]!;
      to++;
    }
    won += here * (below + others / 2);
    below += others;
    events += here;
    from = to;
  }
  return won / (events * below);
}
