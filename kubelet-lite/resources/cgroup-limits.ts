/** What a container's resources mean to the kernel, and what the kernel's numbers mean as resources. Pure. */
import { cpuMilli, memoryBytes, quantityOfBytes, quantityOfMilli } from '../../schemas/quantity.ts';
import type { Container } from '../../schemas/types/container.ts';
import type { ResourceRequirements } from '../../schemas/types/resources.ts';
import { cpuPeriodMicros, type CgroupLimits } from '../runtime/runtime.ts';

/** Least quota that the kernel takes. */
const leastQuotaMicros = 1_000;
/** Least weight that the kernel takes, and the weight of a whole core. */
const leastShares = 2;
const sharesOfCore = 1_024;

/** CPU weight of a request. */
export const cpuShares = (milli: number): number => Math.max(leastShares, Math.floor((milli * sharesOfCore) / 1_000));

/** A limit is the request of a container that has none, as for the API. */
export const cgroupLimits = ({ limits = {}, requests = {} }: ResourceRequirements = {}): CgroupLimits => ({
  cpuShares: cpuShares(cpuMilli(requests['cpu'] ?? limits['cpu'] ?? '0')),
  cpuQuotaMicros: limits['cpu'] === undefined ? 0 : Math.max(leastQuotaMicros, Math.ceil((cpuMilli(limits['cpu']) * cpuPeriodMicros) / 1_000)),
  memoryBytes: limits['memory'] === undefined ? 0 : memoryBytes(limits['memory']),
});

/**
 * The resources in which a running container is not as it is wanted. A limit that is not wanted any more does not count:
 * the API takes none from a pod, and no engine from a container that runs.
 */
export const changedResources = (wanted: CgroupLimits, has: CgroupLimits): readonly ('cpu' | 'memory')[] => {
  const cpu = wanted.cpuShares !== has.cpuShares || (wanted.cpuQuotaMicros !== 0 && wanted.cpuQuotaMicros !== has.cpuQuotaMicros);
  const memory = wanted.memoryBytes !== 0 && wanted.memoryBytes !== has.memoryBytes;
  return [...(cpu ? ['cpu' as const] : []), ...(memory ? ['memory' as const] : [])];
};

/** True when the container asks to be started anew where one of these is to change. */
export const restartsFor = ({ resizePolicy = [] }: Container, changed: readonly string[]): boolean =>
  resizePolicy.some(({ resourceName, restartPolicy }) => restartPolicy === 'RestartContainer' && changed.includes(resourceName));

/**
 * The resources that a running container really has: what was set aside for it, but for those amounts that the kernel has
 * otherwise. The kernel knows nothing of memory that is asked for.
 */
export const resourcesInForce = ({ requests: asked = {}, limits: bound = {}, ...rest }: ResourceRequirements, has: CgroupLimits): ResourceRequirements => {
  const wanted = cgroupLimits({ requests: asked, limits: bound });
  const requests = { ...asked, ...(wanted.cpuShares === has.cpuShares ? {} : { cpu: quantityOfMilli((has.cpuShares * 1_000) / sharesOfCore) }) };
  const { cpu, memory, ...others } = bound;
  const cpuLimit = wanted.cpuQuotaMicros === has.cpuQuotaMicros ? cpu : has.cpuQuotaMicros === 0 ? undefined : quantityOfMilli((has.cpuQuotaMicros * 1_000) / cpuPeriodMicros);
  const memoryLimit = wanted.memoryBytes === has.memoryBytes ? memory : has.memoryBytes === 0 ? undefined : quantityOfBytes(has.memoryBytes);
  const limits = { ...others, ...(cpuLimit === undefined ? {} : { cpu: cpuLimit }), ...(memoryLimit === undefined ? {} : { memory: memoryLimit }) };
  return { ...rest, ...(Object.keys(requests).length === 0 ? {} : { requests }), ...(Object.keys(limits).length === 0 ? {} : { limits }) };
};
