/** Which nodes an expression of Swarm's language means. */
import { BlockList, isIP } from 'node:net';
import type { Node } from '../../schemas/kinds/core/node.ts';
import { engineLabelsAnnotation, executionDriverAnnotation, parseEngineLabels, storageDriverAnnotation } from '../../schemas/swarm/engine-annotations.ts';
import { patternMatch, swarmKitKey, wholeMatch, type SwarmExpression, type SwarmKitKey } from '../../schemas/swarm/expression.ts';
import type { SpreadLabel } from '../../schemas/swarm/placement.ts';

export type NodeMatch = (node: Node) => boolean;

const managerLabels = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master', 'node-role.kubernetes.io/manager'];

/** Names of one architecture: Go's, which Kubernetes uses, and the kernel's, which engines tell. */
const architectures: readonly (readonly string[])[] = [['amd64', 'x86_64'], ['arm64', 'aarch64'], ['arm', 'armv7l'], ['386', 'i686']];

const slotsKey = 'containerslots';

const engineLabels = new WeakMap<Node, ReadonlyMap<string, string>>();

const engineLabelsOf = (node: Node): ReadonlyMap<string, string> => {
  let labels = engineLabels.get(node);
  if (labels === undefined) engineLabels.set(node, labels = parseEngineLabels(node.metadata.annotations?.[engineLabelsAnnotation]));
  return labels;
};

/** Tags that every engine has, by classic Swarm's names. */
const tags: Readonly<Record<string, (node: Node) => string | undefined>> = {
  storagedriver: ({ metadata }) => metadata.annotations?.[storageDriverAnnotation],
  executiondriver: ({ metadata }) => metadata.annotations?.[executionDriverAnnotation],
  kernelversion: ({ status }) => status?.nodeInfo?.kernelVersion,
  operatingsystem: ({ status }) => status?.nodeInfo?.osImage,
  ostype: ({ status }) => status?.nodeInfo?.operatingSystem,
};

/** The value of a classic key: a label of the node, else one of its engine, else a tag; empty where there is none, as in Swarm. */
const classicValue = (node: Node, key: string): string =>
  node.metadata.labels?.[key] ?? engineLabelsOf(node).get(key) ?? (Object.hasOwn(tags, key) ? tags[key]!(node) : undefined) ?? '';

/** Containers that a node takes at the most, by its label or its engine's; a label that is no number is no limit, as in Swarm. */
export const slotsOf = (node: Node): number => {
  const said = node.metadata.labels?.[slotsKey] ?? (node.metadata.annotations === undefined ? undefined : engineLabelsOf(node).get(slotsKey));
  return said !== undefined && /^[+-]?\d{1,15}$/.test(said) ? Number(said) : Infinity;
};

const addressOf = (node: Node, type: string): string | undefined => node.status?.addresses?.find((address) => address.type === type)?.address;

const valuesOf: Readonly<Record<Exclude<SwarmKitKey, 'node.ip'>, (node: Node) => readonly string[]>> = {
  'node.id': ({ metadata }) => [metadata.uid ?? ''],
  'node.hostname': (node) => [addressOf(node, 'Hostname') ?? node.metadata.labels?.['kubernetes.io/hostname'] ?? node.metadata.name ?? ''],
  'node.role': ({ metadata }) => [managerLabels.some((label) => metadata.labels?.[label] !== undefined) ? 'manager' : 'worker'],
  'node.platform.os': ({ status }) => [status?.nodeInfo?.operatingSystem ?? ''],
  'node.platform.arch': ({ status }) => {
    const name = status?.nodeInfo?.architecture ?? '';
    return architectures.find((names) => names.includes(name)) ?? [name];
  },
};

/** Whether the node's address is the one, or is in the range, that was said. */
const ipMatch = ({ operator, value }: SwarmExpression): NodeMatch => {
  const [address = '', bits] = value.split('/');
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  const wanted = new BlockList();
  if (bits === undefined) wanted.addAddress(address, family);
  else wanted.addSubnet(address, Number(bits), family);
  return (node) => {
    const own = addressOf(node, 'InternalIP') ?? '';
    const version = isIP(own);
    return (version !== 0 && wanted.check(own, version === 6 ? 'ipv6' : 'ipv4')) === (operator === '==');
  };
};

/** The value of a label over which pods are spread; nodes without it are together under the empty one, as in SwarmKit. */
export const spreadValue = (node: Node, { of, label }: SpreadLabel): string =>
  (of === 'node' ? node.metadata.labels?.[label] : engineLabelsOf(node).get(label)) ?? '';

/** What a key of a constraint finds on a node, for people; empty where there is nothing. */
export const valueOf = (key: string, node: Node): string => {
  const known = swarmKitKey(key);
  if (known === 'node.ip') return addressOf(node, 'InternalIP') ?? '';
  if (typeof known === 'object') return spreadValue(node, known);
  if (known !== undefined) return valuesOf[known](node).join(' or ');
  return key === 'node' ? node.metadata.name ?? '' : classicValue(node, key);
};

/** Nodes that a constraint means. The expression was checked when it was read. */
export const constraintMatch = (expression: SwarmExpression): NodeMatch => {
  const key = swarmKitKey(expression.key);
  if (key === 'node.ip') return ipMatch(expression);
  if (key !== undefined) {
    const match = wholeMatch(expression);
    if (typeof key === 'object') return (node) => match.matches([spreadValue(node, key)]);
    const values = valuesOf[key];
    return (node) => match.matches(values(node));
  }
  const match = patternMatch(expression);
  if (expression.key === 'node') return ({ metadata }) => match.matches([metadata.uid ?? '', metadata.name ?? '']);
  return (node) => match.matches([classicValue(node, expression.key)]);
};

/** The nodes that a whitelist names, apart by `|`. */
export const whitelistNames = (value: string): readonly string[] => value.split('|').map((name) => name.trim());

/** Nodes that a whitelist names, whatever its key, as in classic Swarm. */
export const whitelistMatch = ({ value }: SwarmExpression): NodeMatch => {
  const names = new Set(whitelistNames(value));
  return ({ metadata }) => names.has(metadata.name ?? '');
};
