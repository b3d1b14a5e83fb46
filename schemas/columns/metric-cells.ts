/** The metrics of an autoscaler in one cell: `cpu: 12%/80%`. */
import type { MetricSpec, MetricStatus, MetricTarget, MetricValueStatus } from '../types/metric.ts';

const unknown = '<unknown>';

const percent = (value: number | undefined, otherwise: string): string => (value === undefined ? otherwise : `${value}%`);

const usage = (name: string, target: MetricTarget, current: MetricValueStatus | undefined): string =>
  target.averageValue === undefined
    ? `${name}: ${percent(current?.averageUtilization, unknown)}/${percent(target.averageUtilization, '<auto>')}`
    : `${name}: ${current?.averageValue ?? unknown}/${target.averageValue}`;

const amount = (target: MetricTarget, current: MetricValueStatus | undefined): string =>
  target.averageValue === undefined ? `${current?.value ?? unknown}/${target.value ?? unknown}` : `${current?.averageValue ?? unknown}/${target.averageValue} (avg)`;

const metricText = (spec: MetricSpec, status: MetricStatus | undefined): string => {
  if (spec.resource !== undefined) return usage(spec.resource.name, spec.resource.target, status?.resource?.current);
  if (spec.containerResource !== undefined) return usage(spec.containerResource.name, spec.containerResource.target, status?.containerResource?.current);
  if (spec.pods !== undefined) return `${status?.pods?.current.averageValue ?? unknown}/${spec.pods.target.averageValue ?? unknown}`;
  if (spec.object !== undefined) return amount(spec.object.target, status?.object?.current);
  if (spec.external !== undefined) return amount(spec.external.target, status?.external?.current);
  return '<unknown type>';
};

/** How many metrics are shown. */
const most = 2;

/** Each metric as it is and as it is wanted: the first two, and how many more there are. */
export const metricsText = (specs: readonly MetricSpec[] | undefined, statuses: readonly MetricStatus[] | undefined): string => {
  if (specs === undefined || specs.length === 0) return '<none>';
  const shown = specs.slice(0, most).map((spec, index) => metricText(spec, statuses?.[index])).join(', ');
  return specs.length > most ? `${shown} + ${specs.length - most} more...` : shown;
};
