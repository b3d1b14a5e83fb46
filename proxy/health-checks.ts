import { isOurs, slicesByService, type TableInput } from './table.ts';

/** What a load balancer learns that asks a node for a service. */
export interface HealthCheck {
  readonly namespace: string;
  readonly name: string;
  /** Ready endpoints on this node; a balancer should send nothing where there are none. */
  readonly localEndpoints: number;
}

/** The answers of a node by `spec.healthCheckNodePort`, which services with externalTrafficPolicy Local have. Pure. */
export const healthChecks = ({ services, slices, nodeName }: Pick<TableInput, 'services' | 'slices' | 'nodeName'>): ReadonlyMap<number, HealthCheck> => {
  const checked = services.filter((service) => isOurs(service) && service.spec.type === 'LoadBalancer' && service.spec.externalTrafficPolicy === 'Local' && (service.spec.healthCheckNodePort ?? 0) !== 0);
  if (checked.length === 0) return new Map();
  const slicesOf = slicesByService(slices);
  return new Map(checked.map(({ metadata: { namespace = '', name = '' }, spec }) => {
    const local = (slicesOf.get(`${namespace}/${name}`) ?? []).flatMap(({ endpoints }) => endpoints ?? []).filter((endpoint) => endpoint.nodeName === nodeName && (spec.publishNotReadyAddresses === true || (endpoint.conditions?.ready ?? true)));
    return [spec.healthCheckNodePort!, { namespace, name, localEndpoints: new Set(local.map(({ addresses }) => addresses[0])).size }];
  }));
};
