import test, { type ExecutionContext } from 'ava';
import { bootstrap } from '../../../apiserver/bootstrap.ts';
import { Namespace } from '../../../schemas/kinds/core/namespace.ts';
import { PersistentVolumeClaim } from '../../../schemas/kinds/core/persistent-volume-claim.ts';
import { PersistentVolume } from '../../../schemas/kinds/core/persistent-volume.ts';
import { StorageClass } from '../../../schemas/kinds/storage/storage-class.ts';
import { testApi } from '../../helpers/api.ts';

const key = (name: string) => ({ namespace: 'default', name });

const start = async (t: ExecutionContext) => {
  const api = await testApi();
  t.teardown(() => api.close());
  const claims = api.client.of(PersistentVolumeClaim);
  return {
    ...api, claims, classes: api.client.of(StorageClass),
    make: (name: string, more: Partial<PersistentVolumeClaim['spec']> = {}, annotations: Readonly<Record<string, string>> = {}) =>
      claims.create({ metadata: { ...key(name), annotations }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...more } }),
    grow: (name: string, size: string) => claims.modify(key(name), (draft) => void (draft.spec.resources = { requests: { storage: size } })),
  };
};

test('a claim that leaves its class open gets the default class; one that chose keeps its choice', async (t) => {
  const { make, classes } = await start(t);
  t.is((await make('open')).spec.storageClassName, 'local-path');
  t.is((await make('none', { storageClassName: '' })).spec.storageClassName, '');
  t.is((await make('other', { storageClassName: 'fast' })).spec.storageClassName, 'fast');
  t.is((await make('old', {}, { 'volume.beta.kubernetes.io/storage-class': 'fast' })).spec.storageClassName, undefined);
  await classes.modify({ name: 'local-path' }, (draft) => void (draft.metadata.annotations = { 'storageclass.kubernetes.io/is-default-class': 'false' }));
  t.is((await make('later')).spec.storageClassName, undefined);
});

test('claims and volumes are protected from the start', async (t) => {
  const { make, client, claims } = await start(t);
  t.deepEqual((await make('c')).metadata.finalizers, ['kubernetes.io/pvc-protection']);
  const made = await client.of(PersistentVolume).create({ metadata: { name: 'v' }, spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/srv', type: '' } } });
  t.deepEqual(made.metadata.finalizers, ['kubernetes.io/pv-protection']);
  // Who takes protection away finds it gone.
  await claims.modify(key('c'), (draft) => void (draft.metadata.finalizers = []));
  t.deepEqual((await claims.get(key('c'))).metadata.finalizers ?? [], []);
});

test('a claim grows when it is bound and its class allows it', async (t) => {
  const { make, grow, claims, classes } = await start(t);
  await make('c');
  await t.throwsAsync(grow('c', '2Gi'), { message: /spec is immutable after creation except resources\.requests/ });
  await claims.modifyStatus(key('c'), (draft) => void (draft.status = { phase: 'Bound', capacity: { storage: '1Gi' } }));
  t.is((await grow('c', '2Gi')).spec.resources?.requests?.['storage'], '2Gi');
  await t.throwsAsync(grow('c', '512Mi'), { message: /field can not be less than status\.capacity/ });
  await classes.modify({ name: 'local-path' }, (draft) => void (draft.allowVolumeExpansion = false));
  await t.throwsAsync(grow('c', '3Gi'), { message: 'persistentvolumeclaims "c" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize' });
  await claims.modify(key('c'), (draft) => void (draft.metadata.labels = { a: 'b' }));
  await classes.delete({ name: 'local-path' });
  await t.throwsAsync(grow('c', '3Gi'), { message: /must support resize/ });
});

test('the class local-path is made once: what its users did to it stands after the next start', async (t) => {
  const { core, classes, client } = await start(t);
  await classes.modify({ name: 'local-path' }, (draft) => void (draft.metadata.annotations = {}));
  const { resourceVersion } = (await classes.get({ name: 'local-path' })).metadata;
  await bootstrap(core, {});
  t.is((await classes.get({ name: 'local-path' })).metadata.resourceVersion, resourceVersion);
  await classes.delete({ name: 'local-path' });
  await bootstrap(core, {});
  t.is(await classes.find({ name: 'local-path' }), undefined);
  await client.of(Namespace).patch({ name: 'kube-system' }, 'merge', { metadata: { annotations: { 'barge.dev/storage-class': null } } });
  await bootstrap(core, {});
  t.like(await classes.get({ name: 'local-path' }), { provisioner: 'barge.dev/local-path' });
});
