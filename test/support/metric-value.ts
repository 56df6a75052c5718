/** The sum of a metric's series whose line holds all the given words; 0 = there is none. */
export async function metricValue(origin: string, name: string, ...words: readonly string[]): Promise<number> {
  const text = await (await fetch(`${origin}/metrics`)).text();
  let sum = 0;
  for (const line of text.split('\n')) {
    if (!line.startsWith(name) || !/^[{ ]/.test(line.slice(name.length))) continue;
    if (words.every((word) => line.includes(word))) sum += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return sum;
}

/** Resolves when the metric, of the series that hold the words, has the value: it is asked again and again. */
export async function untilMetric(
  origin: string,
  name: string,
  value: number,
  ...words: readonly string[]
): Promise<void> {
  while ((await metricValue(origin, name, ...words)) !== value) await new Promise((resolve) => setImmediate(resolve));
}
