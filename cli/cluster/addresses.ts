import { networkInterfaces } from 'node:os';

interface Address { readonly family: string; readonly address: string; readonly internal: boolean }

/** Interfaces that container engines and overlays make; their addresses are not the machine's. */
const virtual = /^(docker|br-|veth|barge|cni|flannel|virbr|vxlan)/;

type Interfaces = Readonly<Record<string, readonly Address[] | undefined>>;

/** IPv4 addresses by which this machine is reached, the likeliest first; loopback when there is no other. */
export const machineAddresses = (interfaces: Interfaces = networkInterfaces()): readonly string[] => {
  const found = Object.entries(interfaces).flatMap(([name, addresses]) =>
    virtual.test(name) ? [] : (addresses ?? []).filter((one) => one.family === 'IPv4' && !one.internal).map((one) => one.address));
  return found.length === 0 ? ['127.0.0.1'] : found;
};

/**
 * The same with the one first that the user has named, also where it is of an interface that is left out else, or of the loopback.
 * Undefined where this machine does not have it.
 */
export const machineAddressesFrom = (first: string, interfaces: Interfaces = networkInterfaces()): readonly string[] | undefined => {
  const isOwn = first.startsWith('127.') || Object.values(interfaces).some((addresses) => addresses?.some(({ address }) => address === first));
  return isOwn ? [first, ...machineAddresses(interfaces).filter((one) => one !== first)] : undefined;
};
