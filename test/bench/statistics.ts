/** The middle value; of an even count the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) throw new Error('no values, no median');
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** The smallest value that at least `share` (0 to 1) of the ascending values do not exceed. */
export function percentile(ascending: Float64Array, share: number): number {
  const index = Math.min(ascending.length - 1, Math.max(0, Math.ceil(share * ascending.length) - 1));
  const value = ascending[index];
  if (value === undefined) throw new Error('no values, no percentile');
  return value;
}

/** A number to so many places. */
export function rounded(value: number, places = 2): number {
  return Number(value.toFixed(places));
}
