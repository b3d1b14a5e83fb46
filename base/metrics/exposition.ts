import { Histogram, type Metrics } from './metrics.ts';

/** How the numbers are written: Prometheus' text format 0.0.4, or OpenMetrics 1.0. */
export type ExpositionFormat = 'prometheus' | 'openmetrics';

export const expositionTypes: Readonly<Record<ExpositionFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '"': '\\"' };
const quoted = (text: string): string => `"${text.replaceAll(/[\\\n"]/g, (character) => escapes[character]!)}"`;

const number = (value: number): string => (value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : String(value));
/** A bucket's bound; OpenMetrics wants to see that it is no integer. */
const bound = (value: number, format: ExpositionFormat): string => (format === 'openmetrics' && Number.isInteger(value) ? `${value}.0` : number(value));

const labelsOf = (pairs: readonly (readonly [string, string])[]): string =>
  (pairs.length === 0 ? '' : `{${pairs.map(([name, value]) => `${name}=${quoted(value)}`).join(',')}}`);

/** All numbers as text that monitoring systems read. */
export const exposition = (metrics: Metrics, format: ExpositionFormat = 'prometheus'): string => {
  const lines: string[] = [];
  for (const { type, family } of metrics.read()) {
    if (family.size === 0) continue;
    const { name, help, labels: names = [] } = family.words;
    const shown = format === 'openmetrics' && type === 'counter' ? name.replace(/_total$/, '') : name;
    lines.push(`# HELP ${shown} ${help.replaceAll(/[\\\n]/g, (character) => escapes[character]!)}`, `# TYPE ${shown} ${type}`);
    for (const [values, child] of family) {
      const pairs = names.map((label, index): readonly [string, string] => [label, values[index]!]);
      if (!(child instanceof Histogram)) {
        lines.push(`${name}${labelsOf(pairs)} ${number(child.value)}`);
        continue;
      }
      let count = 0;
      child.counts.forEach((inBucket, index) => {
        count += inBucket;
        lines.push(`${name}_bucket${labelsOf([...pairs, ['le', bound(child.bounds[index] ?? Infinity, format)]])} ${count}`);
      });
      lines.push(`${name}_sum${labelsOf(pairs)} ${number(child.sum)}`, `${name}_count${labelsOf(pairs)} ${count}`);
    }
  }
  if (format === 'openmetrics') lines.push('# EOF');
  return `${lines.join('\n')}\n`;
};
