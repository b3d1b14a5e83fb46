import { networkInterfaces } from 'node:os';

interface Address { readonly family: string; readonly address: string; readonly internal: boolean }

/** Interfaces that container engines and overlays make; their addresses are not the machine's. */
const virtual = /^(docker|br-|veth|barge|cni|flannel|virbr|vxlan)/;

/** IPv4 addresses by which this machine is reached, the likeliest first; loopback when there is no other. */
export const machineAddresses = (interfaces: Readonly<Record<string, readonly Address[] | undefined>> = networkInterfaces()): readonly string[] => {
  const found = Object.entries(interfaces).flatMap(([name, addresses]) =>
    virtual.test(name) ? [] : (addresses ?? []).filter((one) => one.family === 'IPv4' && !one.internal).map((one) => one.address));
  return found.length === 0 ? ['127.0.0.1'] : found;
};
