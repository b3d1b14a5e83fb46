import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { labelMatcher } from '../../label-selector.ts';
import { as, int32, intOrString, list, object, oneOf, string, type Static } from '../../schema.ts';
import { orNone } from '../../table-cells.ts';
import { LabelSelector } from '../../types/label-selector.ts';
import { validateNetworkPolicySpec } from '../../validation/network-policy.ts';

export const NetworkPolicyPort = object('networking.v1.NetworkPolicyPort', 'A port, or a range of ports, that traffic may go to.', {
  endPort: int32('Last port of the range; port is then the first one, by number.'),
  port: intOrString('Number or name of the port; absent means every port.'),
  protocol: oneOf(['TCP', 'UDP', 'SCTP'], 'Transport protocol.', { default: 'TCP' }),
});
export type NetworkPolicyPort = Static<typeof NetworkPolicyPort>;

export const IPBlock = object('networking.v1.IPBlock', 'A range of addresses, with holes.', {
  cidr: string('The range, such as 192.168.1.0/24.'),
  except: list(string('Range.'), 'Parts of the range that are left out.', { listType: 'atomic' }),
}, ['cidr']);
export type IPBlock = Static<typeof IPBlock>;

export const NetworkPolicyPeer = object('networking.v1.NetworkPolicyPeer', 'Those with whom pods may speak: pods by label, or a range of addresses.', {
  ipBlock: as(IPBlock, 'A range of addresses; excludes the selectors.'),
  namespaceSelector: as(LabelSelector, 'Labels of the namespaces of the pods; an empty selector means all namespaces.'),
  podSelector: as(LabelSelector, "Labels of the pods; without namespaceSelector those of the policy's own namespace."),
});
export type NetworkPolicyPeer = Static<typeof NetworkPolicyPeer>;

export const NetworkPolicyIngressRule = object('networking.v1.NetworkPolicyIngressRule', 'Traffic that may reach the pods.', {
  from: list(NetworkPolicyPeer, 'Where it may come from; empty means anywhere.', { listType: 'atomic' }),
  ports: list(NetworkPolicyPort, 'Ports of the pods that it may go to; empty means all.', { listType: 'atomic' }),
});
export type NetworkPolicyIngressRule = Static<typeof NetworkPolicyIngressRule>;

export const NetworkPolicyEgressRule = object('networking.v1.NetworkPolicyEgressRule', 'Traffic that may leave the pods.', {
  ports: list(NetworkPolicyPort, 'Ports that it may go to; empty means all.', { listType: 'atomic' }),
  to: list(NetworkPolicyPeer, 'Where it may go; empty means anywhere.', { listType: 'atomic' }),
});
export type NetworkPolicyEgressRule = Static<typeof NetworkPolicyEgressRule>;

export const NetworkPolicySpec = object('networking.v1.NetworkPolicySpec', 'Which traffic the chosen pods may have.', {
  egress: list(NetworkPolicyEgressRule, 'Traffic that may leave; what no rule allows is held back when the policy is about egress.', { listType: 'atomic' }),
  ingress: list(NetworkPolicyIngressRule, 'Traffic that may come in; what no rule allows is held back when the policy is about ingress.', { listType: 'atomic' }),
  podSelector: as(LabelSelector, 'Pods that the policy is about; an empty selector means all of the namespace.'),
  policyTypes: list(string('Ingress or Egress.'), 'Directions that the policy is about; absent means Ingress, and Egress too when it has egress rules.', { listType: 'atomic' }),
});
export type NetworkPolicySpec = Static<typeof NetworkPolicySpec>;

const schema = topLevel('networking.v1.NetworkPolicy', 'Says which traffic pods may have.', {
  spec: as(NetworkPolicySpec, 'Which traffic the chosen pods may have.'),
});

export const NetworkPolicy = defineKind(schema, {
  group: 'networking.k8s.io', version: 'v1', kind: 'NetworkPolicy', plural: 'networkpolicies', scope: 'Namespaced',
  shortNames: ['netpol'],
  columns: [
    nameColumn,
    column('Pod-Selector', 'Labels of the pods that the policy is about.', ({ spec }) => orNone(String(labelMatcher(spec?.podSelector ?? {})))),
    ageColumn,
  ],
  prepare: ({ spec }) => {
    if (spec === undefined || (spec.policyTypes ?? []).length > 0) return;
    spec.policyTypes = (spec.egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
  },
  validate: ({ spec }) => validateNetworkPolicySpec(spec ?? {}),
});
export type NetworkPolicy = BodyOf<typeof NetworkPolicy>;
