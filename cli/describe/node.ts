import type { BodyOf } from '../../schemas/kind.ts';
import { formatQuantity, parseQuantity } from '../../schemas/quantity.ts';
import { age } from '../../schemas/table-cells.ts';
import type { Lease } from '../../schemas/kinds/coordination/lease.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';
import type { Pod } from '../../schemas/kinds/core/pod.ts';
import { related, type Describer } from './describer.ts';
import { Page, shownAnnotations, shownTime } from './page.ts';

type PodBody = BodyOf<typeof Pod>;

/** Billionths of a resource that a pod asks for: the sum of its containers, or the largest init container. */
const asked = (pod: PodBody, kind: 'requests' | 'limits', resource: string): bigint => {
  const nano = (amount: string | undefined): bigint => (amount === undefined ? 0n : parseQuantity(amount)?.nano ?? 0n);
  const sum = (pod.spec?.containers ?? []).reduce((total, { resources }) => total + nano(resources?.[kind]?.[resource]), 0n);
  const largest = (pod.spec?.initContainers ?? []).reduce((most, { resources }) => {
    const amount = nano(resources?.[kind]?.[resource]);
    return amount > most ? amount : most;
  }, 0n);
  return sum > largest ? sum : largest;
};

const share = (nano: bigint, of: string | undefined): string => {
  const whole = of === undefined ? undefined : parseQuantity(of)?.nano;
  return whole === undefined || whole === 0n ? '0%' : `${nano * 100n / whole}%`;
};

const shown = (nano: bigint, resource: string): string => formatQuantity({ nano, form: resource === 'cpu' ? 'DecimalSI' : 'BinarySI' });

const amounts = (page: Page, name: string, map: Readonly<Record<string, string>> | undefined): void => {
  if (Object.keys(map ?? {}).length === 0) return;
  page.line(0, `${name}:`);
  for (const [resource, amount] of Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) page.field(1, resource, amount);
};

export const describer: Describer<BodyOf<typeof Node>> = async ({ metadata, spec, status }, context) => {
  const roles = Object.keys(metadata.labels ?? {}).filter((label) => label.startsWith('node-role.kubernetes.io/')).map((label) => label.slice('node-role.kubernetes.io/'.length));
  const page = new Page().field(0, 'Name', metadata.name).field(0, 'Roles', roles.join(',') || '<none>')
    .pairs(0, 'Labels', metadata.labels).pairs(0, 'Annotations', shownAnnotations(metadata.annotations), ': ')
    .field(0, 'CreationTimestamp', shownTime(metadata.creationTimestamp));
  const taints = (spec?.taints ?? []).map(({ key, value, effect }) => `${key}${value === undefined || value === '' ? '' : `=${value}`}:${effect}`);
  if (taints.length === 0) page.line(0, 'Taints:\t<none>');
  for (const [index, taint] of taints.entries()) page.line(0, `${index === 0 ? 'Taints:' : ''}\t${taint}`);
  page.field(0, 'Unschedulable', spec?.unschedulable ?? false);
  const [lease] = await related<BodyOf<typeof Lease>>(context, 'leases', { namespace: 'kube-node-lease', fieldSelector: `metadata.name=${metadata.name}` });
  if (lease === undefined) {
    page.line(0, `Lease:\tFailed to get lease: leases.coordination.k8s.io "${metadata.name}" not found`);
  } else {
    page.line(0, 'Lease:').field(1, 'HolderIdentity', lease.spec?.holderIdentity ?? '<unset>')
      .field(1, 'AcquireTime', shownTime(lease.spec?.acquireTime)).field(1, 'RenewTime', shownTime(lease.spec?.renewTime));
  }
  const conditions = status?.conditions ?? [];
  if (conditions.length > 0) page.line(0, 'Conditions:').line(1, 'Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage').line(1, '----\t------\t-----------------\t------------------\t------\t-------');
  for (const one of conditions) page.line(1, `${one.type} \t${one.status} \t${shownTime(one.lastHeartbeatTime)} \t${shownTime(one.lastTransitionTime)} \t${one.reason ?? ''} \t${one.message ?? ''}`);
  page.line(0, 'Addresses:');
  for (const { type, address } of status?.addresses ?? []) page.field(1, type, address);
  amounts(page, 'Capacity', status?.capacity);
  amounts(page, 'Allocatable', status?.allocatable);
  const info = status?.nodeInfo;
  page.line(0, 'System Info:').field(1, 'Machine ID', info?.machineID).field(1, 'System UUID', info?.systemUUID).field(1, 'Boot ID', info?.bootID)
    .field(1, 'Kernel Version', info?.kernelVersion).field(1, 'OS Image', info?.osImage).field(1, 'Operating System', info?.operatingSystem)
    .field(1, 'Architecture', info?.architecture).field(1, 'Container Runtime Version', info?.containerRuntimeVersion)
    .field(1, 'Kubelet Version', info?.kubeletVersion).field(1, 'Kube-Proxy Version', info?.kubeProxyVersion);
  if (spec?.podCIDR !== undefined) page.field(0, 'PodCIDR', spec.podCIDR).field(0, 'PodCIDRs', spec.podCIDRs?.join(',') ?? spec.podCIDR);
  const pods = await related<PodBody>(context, 'pods', { fieldSelector: `spec.nodeName=${metadata.name},status.phase!=Succeeded,status.phase!=Failed` });
  page.line(0, `Non-terminated Pods:\t(${pods.length} in total)`);
  page.line(1, 'Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge').line(1, '---------\t----\t\t------------\t----------\t---------------\t-------------\t---');
  const allocatable = status?.allocatable ?? {};
  const cell = (pod: PodBody, kind: 'requests' | 'limits', resource: string): string => {
    const nano = asked(pod, kind, resource);
    return `${shown(nano, resource)} (${share(nano, allocatable[resource])})`;
  };
  for (const pod of pods) {
    page.line(1, `${pod.metadata.namespace}\t${pod.metadata.name}\t\t${cell(pod, 'requests', 'cpu')}\t${cell(pod, 'limits', 'cpu')}\t${cell(pod, 'requests', 'memory')}\t${cell(pod, 'limits', 'memory')}\t${age(pod.metadata.creationTimestamp, context.world.clock.now())}`);
  }
  page.line(0, 'Allocated resources:').line(1, '(Total limits may be over 100 percent, i.e., overcommitted.)').line(1, 'Resource\tRequests\tLimits').line(1, '--------\t--------\t------');
  for (const resource of ['cpu', 'memory', 'ephemeral-storage']) {
    const [requests, limits] = (['requests', 'limits'] as const).map((kind) => {
      const nano = pods.reduce((sum, pod) => sum + asked(pod, kind, resource), 0n);
      return `${shown(nano, resource)} (${share(nano, allocatable[resource])})`;
    });
    page.line(1, `${resource}\t${requests}\t${limits}`);
  }
  return page;
};
