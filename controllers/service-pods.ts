/** Which pods stand behind a Service and at which ports: what Endpoints and EndpointSlices have in common. */
import type { Key } from '../client/client.ts';
import type { ReconcileContext } from '../client/controller.ts';
import { keyOf } from '../client/key.ts';
import { selectsAll } from './service-selector.ts';
import type { Pod } from '../schemas/kinds/core/pod.ts';
import { Service, type ServicePort } from '../schemas/kinds/core/service.ts';
import type { ObjectReference } from '../schemas/types/references.ts';
import { isReady, isTerminal, isTerminating } from './pod-state.ts';

export type AddressType = 'IPv4' | 'IPv6';

/** A port of a Service as one pod serves it. */
export interface PodPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: NonNullable<ServicePort['protocol']>;
  readonly appProtocol?: string;
}

/** One pod behind a Service. */
export interface Backend {
  readonly pod: Pod;
  readonly ip: string;
  readonly ports: readonly PodPort[];
  /** Gets traffic: ready and staying, or the Service wants everyone. */
  readonly ready: boolean;
  /** Would answer, though it may be on its way out. */
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly hostname: string | undefined;
}

export const serviceNameLabel = 'kubernetes.io/service-name';
export const headlessLabel = 'service.kubernetes.io/headless';

export const isHeadless = (service: Service): boolean => service.spec?.clusterIP === 'None';

/** True when the cluster keeps the Service's endpoints; without a selector their owner does. */
export const isManaged = (service: Service): boolean =>
  service.spec?.type !== 'ExternalName' && Object.keys(service.spec?.selector ?? {}).length > 0;

export const addressTypesOf = (service: Service): readonly AddressType[] => {
  const families = (service.spec?.ipFamilies ?? []).filter((family) => family === 'IPv4' || family === 'IPv6');
  return families.length === 0 ? ['IPv4'] : families;
};

/** Containers that stay: the ordinary ones, and init containers that never end. */
const portContainers = (pod: Pod) => [
  ...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? []).filter((container) => container.restartPolicy === 'Always'),
];

const targetOf = (pod: Pod, { targetPort, port, protocol = 'TCP' }: ServicePort): number | undefined => {
  if (typeof targetPort !== 'string') return targetPort === undefined || targetPort === 0 ? port : targetPort;
  for (const container of portContainers(pod)) {
    const named = container.ports?.find((one) => one.name === targetPort && (one.protocol ?? 'TCP') === protocol);
    if (named !== undefined) return named.containerPort;
  }
  return undefined;
};

/** The Service's ports at a pod. A port whose name the pod does not know is left out. */
const portsOf = (service: Service, pod: Pod): readonly PodPort[] =>
  (service.spec?.ports ?? []).flatMap((port) => {
    const target = targetOf(pod, port);
    return target === undefined ? []
      : [{ name: port.name ?? '', port: target, protocol: port.protocol ?? 'TCP', ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }) }];
  });

const ipOf = (pod: Pod, type: AddressType): string | undefined => {
  const ips = pod.status?.podIPs?.map(({ ip }) => ip) ?? (pod.status?.podIP ? [pod.status.podIP] : []);
  return ips.find((ip) => ip.includes(':') === (type === 'IPv6'));
};

/** The pods behind a Service, terminating ones included, in the order of their addresses and names. */
export const backendsOf = (service: Service, pods: readonly Pod[], type: AddressType): readonly Backend[] => {
  const everyone = service.spec?.publishNotReadyAddresses === true;
  const backends = pods.flatMap((pod): readonly Backend[] => {
    const ip = ipOf(pod, type);
    if (ip === undefined || ip === '' || isTerminal(pod)) return [];
    const serving = isReady(pod);
    const terminating = isTerminating(pod);
    const { hostname, subdomain } = pod.spec ?? {};
    return [{
      pod, ip, ports: portsOf(service, pod), serving, terminating, ready: everyone || (serving && !terminating),
      hostname: hostname && subdomain === service.metadata.name ? hostname : undefined,
    }];
  });
  return backends.sort((a, b) => compare(a.ip, b.ip) || compare(a.pod.metadata.name ?? '', b.pod.metadata.name ?? ''));
};

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const targetReference = (pod: Pod): ObjectReference => ({
  kind: 'Pod', namespace: pod.metadata.namespace, name: pod.metadata.name, uid: pod.metadata.uid,
});

/** Labels that a Service hands on to its endpoints. */
export const handedOnLabels = (service: Service): Readonly<Record<string, string>> => {
  const { [headlessLabel]: _, ...labels } = service.metadata.labels ?? {};
  return { ...labels, ...(isHeadless(service) ? { [headlessLabel]: '' } : {}) };
};

/** Services whose endpoints a pod's change can touch. The loop asks for the pod of before and of after. */
export const servicesOf = (pod: Pod, context: ReconcileContext): readonly Key[] =>
  context.informer(Service).list(pod.metadata.namespace).filter((service) => isManaged(service) && selectsAll(service, pod)).map(keyOf);
