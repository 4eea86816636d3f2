/**
 * Kendall's S of a series against time: the pairs that rise less those that fall, from `-n(n-1)/2` to `n(n-1)/2`
 * (Mann 1945). A series without a trend has variance `n(n-1)(2n+5)/18`.
 */
export function trend(series: number[]): { z: number; slope: number } {
  const slopes: number[] = [];
  let s = 0;
  for (let j = 1; j < series.length; j++) {
    for (let i = 0; i < j; i++) {
      s += Math.sign(series[j]! - series[i]!);
      slopes.push((series[j]! - series[i]!) / (j - i));
    }
  }
  const n = series.length;
  const deviation = Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  slopes.sort((a, b) => a - b);
  // Theil-Sen: the median of the slopes of all pairs.
  return { z: s / deviation, slope: slopes[slopes.length >> 1]! };
}
