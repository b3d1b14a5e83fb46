import type { Controller } from '../../client/controller.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { freeSubnet, parseRange, rangeText, readRange, type Ipv4Range } from './plan.ts';

/** Bits of a node's range: 254 pods, as in Kubernetes. */
const subnetBits = 24;
/** Another try when the cluster's range is used up; a node that goes comes here at once by its event. */
const exhaustedMs = 60_000;

/** Gives each node its range of pod addresses, never one twice. Throws at once when the cluster's range is not one. */
export const nodeIpamController = (clusterCidr: string): Controller<Node> => {
  const cluster = parseRange(clusterCidr);
  if (cluster.bits > subnetBits) throw new Error(`the cluster's range ${clusterCidr} is too small: a node needs a /${subnetBits}`);
  /** Given out by this process, though the copy of the nodes may not show it yet. */
  const given = new Map<string, string>();
  /** Nodes that found nothing free. */
  const hungry = new Set<string>();

  return {
    name: 'node-ipam-controller',
    reconciles: Node,
    // One at a time: two nodes at once would find the same range free.
    workers: 1,
    // A node that goes frees its range for those that found none.
    watches: [{ kind: Node, map: (node: Node) => (hungry.size > 0 && node.metadata.name !== undefined ? [...hungry].map((name) => ({ name })) : []) }],
    reconcile: async (node, { name }, context) => {
      if (node === undefined) {
        given.delete(name);
        hungry.delete(name);
        return undefined;
      }
      if (node.spec?.podCIDR) {
        given.delete(name);
        hungry.delete(name);
        return undefined;
      }
      const nodes = context.informer(Node).list();
      const taken = [...given.values(), ...nodes.flatMap(({ spec }) => [...(spec?.podCIDR ? [spec.podCIDR] : []), ...(spec?.podCIDRs ?? [])])];
      const known = given.get(name);
      const range = known ?? optionalText(freeSubnet(cluster, subnetBits, ranges(taken)));
      if (range === undefined) {
        if (!hungry.has(name)) context.events.event(node, 'Warning', 'CIDRNotAvailable', `Node ${name} gets no pod addresses: no /${subnetBits} of ${clusterCidr} is free`);
        hungry.add(name);
        return { afterMs: exhaustedMs };
      }
      given.set(name, range);
      await context.client.of(Node).modify({ name }, (draft) => {
        if (!draft.spec?.podCIDR) draft.spec = { ...draft.spec, podCIDR: range, podCIDRs: [range] };
      }, { hint: node });
      hungry.delete(name);
      return undefined;
    },
  };
};

const optionalText = (range: Ipv4Range | undefined): string | undefined => (range === undefined ? undefined : rangeText(range));

/** IPv4 ranges; what is none, or of another family, cannot collide. */
const ranges = (texts: readonly string[]): readonly Ipv4Range[] => texts.flatMap((text) => {
  const range = readRange(text);
  return range === undefined ? [] : [range];
});
