import { duplicate, forbidden, refused, required, wrong, type FieldError } from '../errors.ts';
import { deepEqual } from '../frozen.ts';
import type { NodeSpec, NodeStatus } from '../kinds/core/node.ts';
import { whyNotCidr, whyNotLabelValue, whyNotQualifiedName } from '../names.ts';
import type { Taint } from '../types/affinity.ts';
import { validateAmounts } from './resources.ts';

interface NodeLike {
  readonly spec?: NodeSpec | undefined;
  readonly status?: NodeStatus | undefined;
}

const validateTaints = (taints: readonly Taint[], field: string): readonly FieldError[] => {
  const seen = new Set<string>();
  return taints.flatMap(({ key, value = '', effect }, index) => {
    const at = `${field}[${index}]`;
    const again = seen.has(`${key}:${effect}`);
    seen.add(`${key}:${effect}`);
    return [
      ...refused(`${at}.key`, key, whyNotQualifiedName(key)),
      ...refused(`${at}.value`, value, whyNotLabelValue(value)),
      ...(again ? [{ ...duplicate(at, { key, effect }), message: `${duplicate(at, { key, effect }).message}: taints must be unique by key and effect pair` }] : []),
    ];
  });
};

/** Every wrong field of a node. Its pod range and identity at the provider may be set once. */
export const validateNode = (node: NodeLike, old: NodeLike | undefined): readonly FieldError[] => {
  const { podCIDR = '', podCIDRs = [], taints = [] } = node.spec ?? {};
  const errors: FieldError[] = [...validateTaints(taints, 'spec.taints')];
  for (const [index, range] of podCIDRs.entries()) errors.push(...refused(`spec.podCIDRs[${index}]`, range, whyNotCidr(range)));
  if (podCIDR !== '' && podCIDRs.length > 0 && podCIDR !== podCIDRs[0]) errors.push(wrong('spec.podCIDRs', podCIDRs, 'the first entry must equal spec.podCIDR'));
  const before = old?.spec;
  if ((before?.podCIDRs ?? []).length > 0 && !deepEqual(before?.podCIDRs, podCIDRs)) errors.push(forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'));
  if ((before?.providerID ?? '') !== '' && before?.providerID !== node.spec?.providerID) errors.push(forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'));
  return [...errors, ...validateNodeStatus(node)];
};

export const validateNodeStatus = (node: NodeLike): readonly FieldError[] => {
  const { addresses = [], capacity, allocatable, conditions = [] } = node.status ?? {};
  const seen = new Set<string>();
  return [
    ...validateAmounts(capacity, 'status.capacity', whyNotQualifiedName),
    ...validateAmounts(allocatable, 'status.allocatable', whyNotQualifiedName),
    ...addresses.flatMap((address, index) => {
      const text = `${address.type}/${address.address}`;
      const again = seen.has(text);
      seen.add(text);
      return again ? [duplicate(`status.addresses[${index}]`, address)] : [];
    }),
    ...conditions.flatMap(({ type }, index) => (type === '' ? [required(`status.conditions[${index}].type`)] : [])),
  ];
};
