import type { Service } from '../../schemas/kinds/core/service.ts';
import type { AddressPool } from './address-pool.ts';

/** Services that name this class, and those that name none, have their address from the pool. */
export const poolClass = 'barge.dev/address-pool';

/** Who has an address already. */
export interface Holder {
  /** `Service shop/web`, for messages. */
  readonly what: string;
  /** It had the address before the service that is looked at, which must leave it then. */
  readonly isFirst: boolean;
}

export interface AddressState {
  readonly service: Service;
  readonly pool: AddressPool;
  /** Who other than the service has an address; undefined: nobody. */
  holderOf(ip: string): Holder | undefined;
}

export interface AddressPlan {
  /** What its status shall say; undefined: no address. */
  readonly ip: string | undefined;
  /** Why it has not what it asks for, and what to do. */
  readonly trouble: string | undefined;
}

/** Where a service takes traffic, by its status. */
export const ingressIps = ({ status }: Service): readonly string[] => (status?.loadBalancer?.ingress ?? []).flatMap(({ ip = '' }) => (ip === '' ? [] : [ip]));

/**
 * The address that a service shall have; undefined where that is no business of the pool: another class, or a status that
 * somebody else wrote. Its status is the record: the address in it stays as long as no older one has it too.
 */
export const planAddress = ({ service, pool, holderOf }: AddressState): AddressPlan | undefined => {
  const { spec, status } = service;
  const given = ingressIps(service).find((ip) => pool.has(ip));
  if (spec.type !== 'LoadBalancer') return given === undefined ? undefined : { ip: undefined, trouble: undefined };
  if ((spec.loadBalancerClass ?? poolClass) !== poolClass) return undefined;
  if (given === undefined && (status?.loadBalancer?.ingress ?? []).length > 0) return undefined;
  const kept = given !== undefined && holderOf(given)?.isFirst === true ? undefined : given;
  const { loadBalancerIP: wish = '' } = spec;
  if (wish !== '' && wish !== kept) {
    if (!pool.has(wish)) return { ip: kept, trouble: `spec.loadBalancerIP ${wish} is not in the pool ${pool.text}: name an address of it, or none` };
    const holder = holderOf(wish);
    return holder === undefined ? { ip: wish, trouble: undefined } : { ip: kept, trouble: `spec.loadBalancerIP ${wish} is taken: ${holder.what} has it` };
  }
  const ip = kept ?? pool.free((one) => holderOf(one) !== undefined);
  return { ip, trouble: ip === undefined ? `no address of the pool ${pool.text} is free: start barge with a larger --load-balancer-pool, or delete a Service that has one` : undefined };
};
