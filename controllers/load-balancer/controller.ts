import type { Controller, ReconcileContext } from '../../client/controller.ts';
import { keyText, parseKeyText } from '../../client/key.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Service } from '../../schemas/kinds/core/service.ts';
import { unlessGone } from '../ensure.ts';
import type { AddressPool } from './address-pool.ts';
import { ingressIps, planAddress, type Holder } from './plan.ts';

/** Another try of a service that found no address; one that is given back comes here at once by its event. */
const troubledMs = 60_000;

const byNodeAddress = ({ status }: Node): readonly string[] => (status?.addresses ?? []).map(({ address }) => address);

const textOf = ({ metadata }: Service): string => keyText({ namespace: metadata.namespace, name: metadata.name ?? '' });

const isOlder = (one: Service, other: Service): boolean => rankOf(one) < rankOf(other);
const rankOf = (service: Service): string => `${service.metadata.creationTimestamp ?? ''} ${textOf(service)}`;

/** Gives Services of type LoadBalancer addresses of the pool, and takes them back. */
export const loadBalancerController = (pool: AddressPool): Controller<Service> => {
  /** Given out by this process, by address, though the copy of the services may not show it yet. */
  const given = new Map<string, string>();
  /** What services were told that have no address, or another one than they ask for. */
  const troubled = new Map<string, string>();

  const holderOf = (ip: string, service: Service, context: ReconcileContext): Holder | undefined => {
    const [node] = context.informer(Node).by('address', ip);
    if (node !== undefined) return { what: `node ${node.metadata.name}`, isFirst: true };
    const others = context.informer(Service).by('address', ip).filter((other) => textOf(other) !== textOf(service));
    const holder = others.find((other) => isOlder(other, service)) ?? others[0];
    if (holder !== undefined) return { what: `Service ${textOf(holder)}`, isFirst: isOlder(holder, service) };
    const soon = given.get(ip);
    return soon === undefined || soon === textOf(service) ? undefined : { what: `Service ${soon}`, isFirst: false };
  };

  const forget = (name: string): void => {
    for (const [ip, holder] of given) if (holder === name) given.delete(ip);
  };

  return {
    name: 'load-balancer-controller',
    reconciles: Service,
    indexes: { address: ingressIps },
    // One at a time: two services at once would find the same address free.
    workers: 1,
    watches: [
      // A service that goes, or lets go, frees its address for those that wait for one.
      { kind: Service, map: () => [...troubled.keys()].map(parseKeyText) },
      { kind: Node, map: () => [], indexes: { address: byNodeAddress } },
    ],
    reconcile: async (service, key, context) => {
      const id = keyText(key);
      const plan = service === undefined ? undefined : planAddress({ service, pool, holderOf: (ip) => holderOf(ip, service, context) });
      const trouble = plan?.trouble;
      if (service === undefined || plan === undefined || trouble === undefined) troubled.delete(id);
      else if (troubled.get(id) !== trouble) {
        troubled.set(id, trouble);
        context.events.event(service, 'Warning', 'AllocationFailed', `Service ${id}: ${trouble}`);
      }
      // What was given before is in the copy by now, or not wanted.
      forget(id);
      if (service === undefined || plan === undefined) return undefined;
      const { ip } = plan;
      if (ingressIps(service).find((one) => pool.has(one)) !== ip) {
        if (ip !== undefined) given.set(ip, id);
        // On this very version: somebody else may write an address of his own meanwhile.
        await unlessGone(context.client.of(Service).updateStatus({ ...service, status: { ...service.status, loadBalancer: ip === undefined ? {} : { ingress: [{ ip, ipMode: 'VIP' }] } } }));
      }
      return trouble === undefined ? undefined : { afterMs: troubledMs };
    },
  };
};
