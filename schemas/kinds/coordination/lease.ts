import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { int32, microTime, object, string, type Static } from '../../schema.ts';

export const LeaseSpec = object('coordination.v1.LeaseSpec', '', {
  acquireTime: microTime(''),
  holderIdentity: string(''),
  leaseDurationSeconds: int32(''),
  leaseTransitions: int32(''),
  preferredHolder: string(''),
  renewTime: microTime(''),
  strategy: string(''),
});
export type LeaseSpec = Static<typeof LeaseSpec>;

const schema = topLevel('coordination.v1.Lease', '', {
  spec: LeaseSpec,
});

export const Lease = defineKind(schema, {
  group: 'coordination.k8s.io', version: 'v1', kind: 'Lease', plural: 'leases', scope: 'Namespaced',
  columns: [],
});
export type Lease = BodyOf<typeof Lease>;
