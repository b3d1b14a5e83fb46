/** Reads Prometheus' text format as strictly as promtool does, and throws what is wrong with a line. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ParsedFamily {
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"(?:,(?=[a-zA-Z_])|(?=\})))*)\})? (NaN|[+-]?Inf|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;

const labelsOf = (text: string): Readonly<Record<string, string>> => {
  const labels: Record<string, string> = {};
  for (const [, name = '', value = ''] of text.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g)) {
    if (name in labels) throw new Error(`label ${name} stands twice in ${text}`);
    labels[name] = value.replaceAll(/\\(.)/g, (_, one: string) => (one === 'n' ? '\n' : one));
  }
  return labels;
};

const checkHistogram = (name: string, samples: readonly Sample[]): void => {
  const series = new Map<string, { buckets: [number, number][]; count?: number; sum?: number }>();
  for (const { name: sample, labels: { le, ...labels }, value } of samples) {
    const key = JSON.stringify(labels);
    const one = series.get(key) ?? { buckets: [] };
    series.set(key, one);
    if (sample === `${name}_bucket`) one.buckets.push([le === '+Inf' ? Infinity : Number(le), value]);
    else if (sample === `${name}_count`) one.count = value;
    else if (sample === `${name}_sum`) one.sum = value;
    else throw new Error(`${sample} is no sample of the histogram ${name}`);
  }
  for (const [key, { buckets, count, sum }] of series) {
    if (buckets.at(-1)?.[0] !== Infinity || buckets.at(-1)?.[1] !== count || sum === undefined) throw new Error(`${name}${key}: the last bucket is +Inf and equals the count`);
    buckets.forEach(([le, value], index) => {
      const before = buckets[index - 1];
      if (before !== undefined && (le <= before[0] || value < before[1])) throw new Error(`${name}${key}: bounds and counts ascend`);
    });
  }
};

/** The families of a text, by name. */
export const parseExposition = (text: string, format: 'prometheus' | 'openmetrics' = 'prometheus'): ReadonlyMap<string, ParsedFamily> => {
  if (!text.endsWith('\n')) throw new Error('the last line must end');
  const lines = text.slice(0, -1).split('\n');
  if (format === 'openmetrics' && lines.pop() !== '# EOF') throw new Error('OpenMetrics ends with # EOF');
  const families = new Map<string, { type: string; help: string; samples: Sample[] }>();
  const seen = new Set<string>();
  let name = '';
  for (const line of lines) {
    const help = /^# HELP (\S+) (.+)$/.exec(line);
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    if (help !== null) {
      name = help[1]!;
      if (!metricName.test(name) || families.has(name)) throw new Error(`${line}: not a new name`);
      families.set(name, { type: '', help: help[2]!, samples: [] });
      continue;
    }
    const family = families.get(name);
    if (family === undefined) throw new Error(`${line}: no HELP before it`);
    if (type !== null) {
      if (type[1] !== name || family.type !== '') throw new Error(`${line}: does not follow its HELP`);
      family.type = type[2]!;
      continue;
    }
    const match = sampleLine.exec(line);
    if (match === null) throw new Error(`${line}: not a sample`);
    const [, sample = '', labels = '', value = ''] = match;
    const suffixes = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : family.type === 'counter' && format === 'openmetrics' ? ['_total'] : [''];
    if (!suffixes.some((suffix) => sample === name + suffix)) throw new Error(`${line}: is not of ${name}`);
    if (family.type === 'counter' && !sample.endsWith('_total')) throw new Error(`${line}: counters end in _total`);
    const id = `${sample}{${labels}}`;
    if (seen.has(id)) throw new Error(`${id} stands twice`);
    seen.add(id);
    family.samples.push({ name: sample, labels: labelsOf(labels), value: value === '+Inf' ? Infinity : Number(value) });
  }
  for (const [of, { type, samples }] of families) if (type === 'histogram') checkHistogram(of, samples);
  return families;
};
