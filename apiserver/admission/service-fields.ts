/** Which addresses and ports a Service wants and holds, as pure looks at its spec and small changes of a draft. */
import type { Draft } from '../../schemas/frozen.ts';
import type { Service } from '../../schemas/kinds/core/service.ts';

export type ServiceDraft = Draft<Service>;
type Spec = Service['spec'];

export const headless = 'None';

export const isExternalName = ({ type }: Spec): boolean => type === 'ExternalName';

/** True when the service has, or is to have, an address of its own. */
export const wantsAddress = (spec: Spec): boolean => !isExternalName(spec) && spec.clusterIP !== headless;

export const wantsNodePorts = ({ type, allocateLoadBalancerNodePorts }: Spec): boolean =>
  type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false);

/** True for the types that may have node ports, given out or asked for. */
export const mayHaveNodePorts = ({ type }: Spec): boolean => type === 'NodePort' || type === 'LoadBalancer';

export const wantsHealthCheckPort = ({ type, externalTrafficPolicy }: Spec): boolean => type === 'LoadBalancer' && externalTrafficPolicy === 'Local';

const portKey = ({ protocol = 'TCP', port }: { readonly protocol?: string | undefined; readonly port: number }): string => `${protocol}/${port}`;

/** An update that does not speak of ports that the server gave out keeps them. Addresses are kept by the kind itself. */
export const keepPorts = ({ spec }: ServiceDraft, { spec: old }: Service): void => {
  if (wantsNodePorts(spec) && wantsNodePorts(old)) {
    const asked = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort));
    const given = new Map((old.ports ?? []).map((port) => [portKey(port), port.nodePort]));
    for (const port of spec.ports ?? []) {
      const before = given.get(portKey(port));
      if ((port.nodePort ?? 0) === 0 && before !== undefined && !asked.has(before)) port.nodePort = before;
    }
  }
  if (wantsHealthCheckPort(spec) && wantsHealthCheckPort(old) && (spec.healthCheckNodePort ?? 0) === 0) spec.healthCheckNodePort = old.healthCheckNodePort;
};

/** When the type changes, what belonged to the old one and still stands there unchanged goes with it. */
export const dropOfOldType = ({ spec }: ServiceDraft, { spec: old }: Service): void => {
  if (wantsHealthCheckPort(old) && !wantsHealthCheckPort(spec) && spec.healthCheckNodePort === old.healthCheckNodePort) delete spec.healthCheckNodePort;
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer' && spec.loadBalancerClass === old.loadBalancerClass) delete spec.loadBalancerClass;
  if (isExternalName(old) && !isExternalName(spec) && spec.externalName === old.externalName) delete spec.externalName;
};

/** The rows that a service holds: its address, its node ports. */
export const heldBy = ({ spec }: Service | ServiceDraft): ReadonlySet<string> => {
  const keys = new Set<string>();
  if (wantsAddress(spec)) for (const address of spec.clusterIPs ?? []) if (address !== '') keys.add(addressKey(address));
  if (mayHaveNodePorts(spec)) for (const { nodePort = 0, protocol = 'TCP' } of spec.ports ?? []) if (nodePort !== 0) keys.add(portRow(protocol, nodePort));
  if (wantsHealthCheckPort(spec) && (spec.healthCheckNodePort ?? 0) !== 0) keys.add(portRow('TCP', spec.healthCheckNodePort ?? 0));
  return keys;
};

export const addressKey = (address: string): string => `!ip/${address}`;
export const portRow = (protocol: string, port: number): string => `!port/${protocol}/${port}`;
