import type { ServicePort } from '../../proxy/backend.ts';

/** An entry of a service table that has nothing but what is said; a node port is everybody's where nothing else is said. */
export const servicePort = (words: Partial<ServicePort> & Pick<ServicePort, 'name'>): ServicePort =>
  ({ protocol: 'TCP', clusterIps: [], insideIps: [], outsideIps: [], guard: undefined, port: 80, nodePort: 0, insideNodePort: words.nodePort ?? 0, endpoints: [], affinitySeconds: 0, ...words });
