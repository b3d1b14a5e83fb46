import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { required, wrong } from '../../errors.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { as, int32, microTime, object, string, type Static } from '../../schema.ts';

export const LeaseSpec = object('coordination.v1.LeaseSpec', 'Who holds a lease, and for how long.', {
  acquireTime: microTime('When the present holder took it.'),
  holderIdentity: string('The present holder.'),
  leaseDurationSeconds: int32('Seconds after renewTime for which others must wait.'),
  leaseTransitions: int32('How often the holder has changed.', { minimum: 0 }),
  preferredHolder: string('Holder that a coordinated election prefers.'),
  renewTime: microTime('When the holder last renewed it.'),
  strategy: string('Strategy of a coordinated election.'),
});
export type LeaseSpec = Static<typeof LeaseSpec>;

const schema = topLevel('coordination.v1.Lease', 'A claim that must be renewed: leadership, or the heartbeat of a node.', {
  spec: as(LeaseSpec, 'Who holds it, and for how long.'),
});

export const Lease = defineKind(schema, {
  group: 'coordination.k8s.io', version: 'v1', kind: 'Lease', plural: 'leases', scope: 'Namespaced',
  generationCounts: [],
  updateNamesVersion: true,
  createOnUpdate: true,
  columns: [nameColumn, column('Holder', 'Who holds the lease.', ({ spec }) => spec?.holderIdentity ?? ''), ageColumn],
  validate: ({ spec }) => {
    const { leaseDurationSeconds: seconds, holderIdentity } = spec ?? {};
    return [
      ...(seconds !== undefined && seconds <= 0 ? [wrong('spec.leaseDurationSeconds', seconds, 'must be greater than 0')] : []),
      ...(holderIdentity === undefined || (spec?.strategy ?? '') === '' || holderIdentity !== '' ? [] : [required('spec.holderIdentity')]),
    ];
  },
});
export type Lease = BodyOf<typeof Lease>;
