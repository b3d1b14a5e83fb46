import { HostPorts } from '../../schemas/host-ports.ts';
import { namesText, type Remedy } from './remedy.ts';

const shownPods = 3;

/** Who has the ports. */
export const portsRemedy: Remedy = ({ ports }, refused) => ports.flatMap((port) => {
  const holders: string[] = [];
  let nodes = 0;
  for (const node of refused) {
    if (!node.ports.conflicts([port])) continue;
    nodes++;
    for (const other of node.pods.values()) {
      const own = new HostPorts();
      own.add(other.ports);
      if (own.conflicts([port])) holders.push(`${other.key} on ${node.name}`);
    }
  }
  if (nodes === 0) return [];
  return [`host port ${port.port}/${port.protocol} is taken by ${namesText(holders.slice(0, shownPods))}${holders.length > shownPods ? ` and ${holders.length - shownPods} more` : ''}: use another port, or a Service in place of a host port`];
});
