/** Rules for network policies: ports, peers and ranges of addresses. */
import { BlockList, isIP } from 'node:net';
import { forbidden, refused, required, unsupported, wrong, type FieldError } from '../errors.ts';
import type { IPBlock, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec } from '../kinds/networking/network-policy.ts';
import { validateLabelSelector } from '../label-selector.ts';
import { whyNotCidr, whyNotPortName, whyNotPortNumber } from '../names.ts';

const validatePort = ({ port, endPort }: NetworkPolicyPort, field: string): readonly FieldError[] => {
  if (port === undefined) return endPort === undefined ? [] : [wrong(`${field}.endPort`, endPort, 'may not be specified when `port` is not specified')];
  if (typeof port === 'string') {
    return [
      ...(endPort === undefined ? [] : [wrong(`${field}.endPort`, endPort, 'may not be specified when `port` is non-numeric')]),
      ...refused(`${field}.port`, port, whyNotPortName(port)),
    ];
  }
  return [
    ...refused(`${field}.port`, port, whyNotPortNumber(port)),
    ...(endPort === undefined ? [] : endPort < port
      ? [wrong(`${field}.endPort`, endPort, 'must be greater than or equal to `port`')] : refused(`${field}.endPort`, endPort, whyNotPortNumber(endPort))),
  ];
};

/** Whether the inner range lies within the outer one and is smaller. Both are ranges. */
const isStrictlyWithin = (inner: string, outer: string): boolean => {
  const [innerAddress = '', innerBits = ''] = inner.split('/');
  const [outerAddress = '', outerBits = ''] = outer.split('/');
  const family = isIP(outerAddress) === 6 ? 'ipv6' : 'ipv4';
  if ((isIP(innerAddress) === 6 ? 'ipv6' : 'ipv4') !== family || Number(innerBits) <= Number(outerBits)) return false;
  const range = new BlockList();
  range.addSubnet(outerAddress, Number(outerBits), family);
  return range.check(innerAddress, family);
};

const validateBlock = ({ cidr, except = [] }: IPBlock, field: string): readonly FieldError[] => {
  if (cidr === '') return [required(`${field}.cidr`)];
  const why = whyNotCidr(cidr);
  if (why !== undefined) return [wrong(`${field}.cidr`, cidr, why)];
  return except.flatMap((range, index) =>
    refused(`${field}.except[${index}]`, range, whyNotCidr(range) ?? (isStrictlyWithin(range, cidr) ? undefined : 'must be a strict subset of `cidr`')));
};

const validatePeer = ({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer, field: string): readonly FieldError[] => {
  const selects = podSelector !== undefined || namespaceSelector !== undefined;
  if (!selects && ipBlock === undefined) return [required(field, 'must specify a peer')];
  return [
    ...validateLabelSelector(podSelector, `${field}.podSelector`),
    ...validateLabelSelector(namespaceSelector, `${field}.namespaceSelector`),
    ...(ipBlock === undefined ? [] : validateBlock(ipBlock, `${field}.ipBlock`)),
    ...(selects && ipBlock !== undefined ? [forbidden(field, 'may not specify both ipBlock and another peer')] : []),
  ];
};

const validateRule = (peers: readonly NetworkPolicyPeer[] = [], ports: readonly NetworkPolicyPort[] = [], at: { readonly peers: string; readonly ports: string }): readonly FieldError[] => [
  ...ports.flatMap((port, index) => validatePort(port, `${at.ports}[${index}]`)),
  ...peers.flatMap((peer, index) => validatePeer(peer, `${at.peers}[${index}]`)),
];

const directions = ['Egress', 'Ingress'];

const validateTypes = (types: readonly string[]): readonly FieldError[] => {
  if (types.length > directions.length) return [wrong('spec.policyTypes', types, 'may not specify more than two policyTypes')];
  return types.flatMap((type, index) => (directions.includes(type) ? [] : [unsupported(`spec.policyTypes[${index}]`, type, directions)]));
};

/** Every wrong field of a network policy. */
export const validateNetworkPolicySpec = ({ podSelector, ingress = [], egress = [], policyTypes = [] }: NetworkPolicySpec): readonly FieldError[] => [
  ...validateLabelSelector(podSelector, 'spec.podSelector'),
  ...ingress.flatMap(({ from, ports }, index) => validateRule(from, ports, { peers: `spec.ingress[${index}].from`, ports: `spec.ingress[${index}].ports` })),
  ...egress.flatMap(({ to, ports }, index) => validateRule(to, ports, { peers: `spec.egress[${index}].to`, ports: `spec.egress[${index}].ports` })),
  ...validateTypes(policyTypes),
];
