import { ageColumn, column, nameColumn } from '../../columns/columns.ts';
import { defineKind, topLevel, type BodyOf } from '../../kind.ts';
import { whyNotCsiDriverName, whyNotDnsSubdomain } from '../../names.ts';
import { as, boolean, int64, list, object, oneOf, string, type Static } from '../../schema.ts';
import { joined } from '../../table-cells.ts';
import { validateCsiDriver } from '../../validation/csi.ts';

export const TokenRequest = object('storage.v1.TokenRequest', 'A token of the service account of the pod that a driver wants to see.', {
  audience: string('For whom the token is meant; empty means the API server.'),
  expirationSeconds: int64('How long the token is good for, in seconds.'),
}, ['audience']);
export type TokenRequest = Static<typeof TokenRequest>;

export const CSIDriverSpec = object('storage.v1.CSIDriverSpec', 'What a CSI driver needs and can do.', {
  attachRequired: boolean('True when volumes must be attached to a node before they can be mounted. It cannot be changed.', { default: true }),
  fsGroupPolicy: oneOf(['ReadWriteOnceWithFSType', 'File', 'None'], "Whether the group of a volume's files is changed when it is mounted.", { default: 'ReadWriteOnceWithFSType' }),
  nodeAllocatableUpdatePeriodSeconds: int64('How often a node asks the driver how many volumes it can have, in seconds; at least 10.'),
  podInfoOnMount: boolean('True when the driver wants to know for which pod it mounts.', { default: false }),
  preventPodSchedulingIfMissing: boolean('True to place no pod with volumes of the driver on a node that lacks it.'),
  requiresRepublish: boolean('True when the driver wants to be called again from time to time for mounted volumes.', { default: false }),
  seLinuxMount: boolean('True when volumes can be mounted with an SELinux label of their own.', { default: false }),
  serviceAccountTokenInSecrets: boolean('True to hand tokens over as secrets and not as attributes of the volume.'),
  storageCapacity: boolean('True when pods are only placed where the driver has said that there is room.', { default: false }),
  tokenRequests: list(TokenRequest, 'Tokens of service accounts that the driver wants, one for each audience.', { listType: 'atomic' }),
  volumeLifecycleModes: list(string('Persistent or Ephemeral.'), 'Sorts of volumes that the driver makes; Persistent where absent. They cannot be changed.', { listType: 'set' }),
});
export type CSIDriverSpec = Static<typeof CSIDriverSpec>;

const schema = topLevel('storage.v1.CSIDriver', 'A driver for volumes that has been added to the cluster.', {
  spec: as(CSIDriverSpec, 'What the driver needs and can do.'),
}, ['spec']);

export const CSIDriver = defineKind(schema, {
  group: 'storage.k8s.io', version: 'v1', kind: 'CSIDriver', plural: 'csidrivers', scope: 'Cluster',
  updateNamesVersion: true,
  nameRule: (name) => whyNotDnsSubdomain(name) ?? whyNotCsiDriverName(name),
  columns: [
    nameColumn,
    column('AttachRequired', 'Whether volumes must be attached.', ({ spec }) => spec.attachRequired ?? true, { type: 'boolean' }),
    column('PodInfoOnMount', 'Whether the driver wants to know the pod.', ({ spec }) => spec.podInfoOnMount ?? false, { type: 'boolean' }),
    column('StorageCapacity', 'Whether pods are placed by what room there is.', ({ spec }) => spec.storageCapacity ?? false, { type: 'boolean' }),
    column('TokenRequests', 'Audiences of the tokens that it wants.', ({ spec }) => spec.tokenRequests?.map((one) => one.audience).join(',') ?? '<unset>'),
    column('RequiresRepublish', 'Whether it wants to be called again for mounted volumes.', ({ spec }) => spec.requiresRepublish ?? false, { type: 'boolean' }),
    column('Modes', 'Sorts of volumes that it makes.', ({ spec }) => joined(spec.volumeLifecycleModes ?? [])),
    ageColumn,
  ],
  prepare: ({ spec }) => {
    if (spec !== undefined && (spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ['Persistent'];
  },
  validate: ({ spec }, old) => validateCsiDriver(spec, old?.spec),
});
export type CSIDriver = BodyOf<typeof CSIDriver>;
