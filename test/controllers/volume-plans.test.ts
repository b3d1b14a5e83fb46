import test from 'ava';
import * as fc from 'fast-check';
import { planClaim, type ClaimState, type ClaimStep } from '../../controllers/persistent-volume/claim-plan.ts';
import { planVolume, type VolumeStep } from '../../controllers/persistent-volume/volume-plan.ts';
import { awaitedNode, folderName, planFinalizer, planGrowth, planProvision } from '../../controllers/local-path/plan.ts';
import type { Node } from '../../schemas/kinds/core/node.ts';
import type { PersistentVolumeClaim } from '../../schemas/kinds/core/persistent-volume-claim.ts';
import type { PersistentVolume } from '../../schemas/kinds/core/persistent-volume.ts';
import type { StorageClass } from '../../schemas/kinds/storage/storage-class.ts';
import { matchVolume } from '../../schemas/volumes/match-volume.ts';
import { defaultClassOf } from '../../schemas/volumes/storage-class-of.ts';
import { claim, onNode, refTo, storageClass, volume, type ClaimWords, type VolumeWords } from '../helpers/storage-objects.ts';

const bound = { 'pv.kubernetes.io/bind-completed': 'yes' };
const ours = { 'pv.kubernetes.io/provisioned-by': 'barge.dev/local-path' };
const gone = '2026-01-01T00:00:00Z';

/** A step in short. */
const word = (step: ClaimStep | VolumeStep): string => {
  if (step.do === 'tell') return `${step.type} ${step.reason}: ${step.message}`;
  return [step.do, 'volume' in step ? step.volume.metadata.name : '', 'phase' in step ? step.phase : '', 'className' in step ? step.className : '', 'nodeName' in step ? step.nodeName : '', 'provisioner' in step ? step.provisioner : '', 'keep' in step ? step.keep : ''].filter((part) => part !== '').join(' ');
};

// Which volume fits

const mine = claim('mine');
const matches: Readonly<Record<string, readonly [ClaimWords, readonly PersistentVolume[], string | undefined]>> = {
  'the smallest that is big enough': [{ size: '2Gi' }, [volume('a', { size: '9Gi' }), volume('b', { size: '3Gi' }), volume('c', { size: '1Gi' })], 'b'],
  'the first by name of equals': [{}, [volume('b'), volume('a')], 'a'],
  'none that is too small': [{ size: '1025Mi' }, [volume('a')], undefined],
  'its class': [{}, [volume('a', { spec: { storageClassName: 'fast' } })], undefined],
  'no class is a class of its own': [{ spec: { storageClassName: '' } }, [volume('a'), volume('b', { spec: { storageClassName: '' } })], 'b'],
  'a class that is left open finds volumes without one': [{ spec: { storageClassName: undefined } }, [volume('b', { spec: { storageClassName: undefined } })], 'b'],
  'all its access modes': [{ spec: { accessModes: ['ReadWriteOnce', 'ReadOnlyMany'] } }, [volume('a'), volume('b', { spec: { accessModes: ['ReadOnlyMany', 'ReadWriteOnce', 'ReadWriteMany'] } })], 'b'],
  'its mode': [{ spec: { volumeMode: 'Block' } }, [volume('a'), volume('b', { spec: { volumeMode: 'Block' } })], 'b'],
  'its selector': [{ spec: { selector: { matchLabels: { disk: 'ssd' } } } }, [volume('a'), volume('b', { meta: { labels: { disk: 'ssd' } } })], 'b'],
  'not one that is going, released or not known yet': [{}, [volume('a', { meta: { deletionTimestamp: gone } }), volume('b', { phase: 'Released' }), volume('c', { phase: 'Pending' })], undefined],
  'not one that another claim has': [{}, [volume('a', { spec: { claimRef: refTo(claim('other')) } })], undefined],
  'the one that names it goes before all, whatever its class': [{}, [volume('a'), volume('z', { size: '9Gi', spec: { claimRef: { namespace: 'default', name: 'mine' }, storageClassName: 'fast' } })], 'z'],
  'not one that names an earlier claim of the name': [{}, [volume('z', { spec: { claimRef: { ...refTo(mine), uid: 'earlier' } } })], undefined],
  'not one that names it and is too small': [{ size: '2Gi' }, [volume('z', { spec: { claimRef: { namespace: 'default', name: 'mine' } } })], undefined],
};
for (const [what, [words, volumes, expected]] of Object.entries(matches)) {
  test(`a claim gets ${what}`, (t) => t.is(matchVolume(claim('mine', words), { volumes })?.metadata.name, expected));
}

test('for a node, only what the node reaches', (t) => {
  const node = { name: 'n1', labels: { 'kubernetes.io/hostname': 'n1' } };
  t.is(matchVolume(mine, { node, volumes: [volume('a', { spec: onNode('n2') }), volume('b', { size: '2Gi', spec: onNode('n1', 'n3') })] })?.metadata.name, 'b');
  t.is(matchVolume(mine, { node, volumes: [volume('a', { spec: { ...onNode('n2'), claimRef: refTo(mine) } }), volume('b')] }), undefined, 'the volume that names it is the only one');
  t.is(matchVolume(mine, { volumes: [volume('a'), volume('b')], taken: new Set(['a']) })?.metadata.name, 'b');
});

test('the default class is the newest, then the first by name', (t) => {
  const one = (name: string, creationTimestamp: string, annotation = 'storageclass.kubernetes.io/is-default-class'): StorageClass => storageClass(name, { metadata: { name, creationTimestamp, annotations: { [annotation]: 'true' } } });
  t.is(defaultClassOf([storageClass('plain')]), undefined);
  t.is(defaultClassOf([one('c', '2026-01-01T00:00:00Z'), one('b', '2026-01-02T00:00:00Z', 'storageclass.beta.kubernetes.io/is-default-class'), one('a', '2026-01-02T00:00:00Z')])?.metadata.name, 'a');
});

// Claims

const state = (words: ClaimWords, more: Partial<ClaimState> = {}): ClaimState =>
  ({ claim: claim('mine', words), candidates: [], named: undefined, classes: [], isUsed: false, consumerNode: undefined, unplacedPod: undefined, ...more });
const late = storageClass('slow', { volumeBindingMode: 'WaitForFirstConsumer' });
const asked = { 'volume.kubernetes.io/storage-provisioner': 'example.com/disks', 'volume.beta.kubernetes.io/storage-provisioner': 'example.com/disks' };
const external = "Normal ExternalProvisioning: Waiting for a volume to be created either by the external provisioner 'example.com/disks' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.";
const whole = { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } };
const named = { spec: { volumeName: 'v' } } as const;
const mineBound: ClaimWords = { ...named, meta: { annotations: bound }, status: whole };
const lostVolume = 'Warning ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!';

const claims: Readonly<Record<string, readonly [ClaimState, ...string[]]>> = {
  'a free volume is taken in three writes': [state({}, { candidates: [volume('v')] }), 'reserve v', 'name-volume v', 'show-bound v'],
  'after a crash: the volume names it': [state({}, { candidates: [volume('v', { spec: { claimRef: refTo(mine) } })] }), 'name-volume v', 'show-bound v'],
  'after a crash: it names the volume': [state({ ...named, meta: { annotations: bound } }, { named: volume('v', { spec: { claimRef: refTo(mine) } }) }), 'show-bound v'],
  'nothing to do': [state(mineBound, { named: volume('v', { spec: { claimRef: refTo(mine) } }) })],
  'a volume that names it without a uid': [state({}, { candidates: [volume('v', { spec: { claimRef: { namespace: 'default', name: 'mine' } } })] }), 'reserve v', 'name-volume v', 'show-bound v'],
  'it names a volume': [state(named, { named: volume('v') }), 'reserve v', 'name-volume v', 'show-bound v'],
  'it names a volume that is not there': [state(named)],
  'it names one that is too small': [state({ ...named, size: '2Gi' }, { named: volume('v') }), 'Warning VolumeMismatch: Cannot bind to requested volume "v": requested PV is too small'],
  'it names one of another class': [state(named, { named: volume('v', { spec: { storageClassName: 'fast' } }) }), 'Warning VolumeMismatch: Cannot bind to requested volume "v": storageClassName does not match'],
  'it names one of another mode': [state(named, { named: volume('v', { spec: { volumeMode: 'Block' } }) }), 'Warning VolumeMismatch: Cannot bind to requested volume "v": incompatible volumeMode'],
  'it names one that cannot be mounted so': [state(named, { named: volume('v', { spec: { accessModes: ['ReadOnlyMany'] } }) }), 'Warning VolumeMismatch: Cannot bind to requested volume "v": incompatible accessMode'],
  'it names one that another claim has': [state(named, { named: volume('v', { spec: { claimRef: refTo(claim('other')) } }) }), 'Warning FailedBinding: volume "v" already bound to a different claim.'],
  'no volume and no class': [state({ spec: { storageClassName: '' } }), 'Normal FailedBinding: no persistent volumes available for this claim and no storage class is set'],
  'it leaves the class open, and there is a default by now': [state({ spec: { storageClassName: undefined } }, { classes: [storageClass('d', { metadata: { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' }, name: 'd' } })] }), 'set-class d'],
  'it wants no class, whatever the default': [state({ spec: { storageClassName: '' } }, { classes: [storageClass('d', { metadata: { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' }, name: 'd' } })] }), 'Normal FailedBinding: no persistent volumes available for this claim and no storage class is set'],
  'a class that is not there': [state({}), 'Warning ProvisioningFailed: storageclass.storage.k8s.io "slow" not found'],
  'a class of hand-made volumes': [state({}, { classes: [storageClass('slow', { provisioner: 'kubernetes.io/no-provisioner' })] }), 'Warning ProvisioningFailed: no volume plugin matched name: kubernetes.io/no-provisioner'],
  'a provisioner is asked': [state({}, { classes: [storageClass('slow')] }), 'ask-provisioner example.com/disks', external],
  'a provisioner is asked once': [state({ meta: { annotations: asked } }, { classes: [storageClass('slow')] }), external],
  'no pod yet': [state({}, { classes: [late], candidates: [volume('v')] }), 'Normal WaitForFirstConsumer: waiting for first consumer to be created before binding'],
  'a pod without a node': [state({}, { classes: [late], unplacedPod: 'p' }), 'Normal WaitForPodScheduled: waiting for pod p to be scheduled'],
  'a pod that has a node, though nobody chose for the claim': [state({}, { classes: [late], isUsed: true, consumerNode: 'n', candidates: [volume('v')] }), 'select-node n'],
  'the scheduler chose a volume': [state({}, { classes: [late], candidates: [volume('w'), volume('v', { spec: { claimRef: refTo(mine) } })] }), 'name-volume v', 'show-bound v'],
  'the scheduler chose a node': [state({ meta: { annotations: { 'volume.kubernetes.io/selected-node': 'n' } } }, { classes: [late] }), 'ask-provisioner example.com/disks', external],
  'its volume is gone': [state(mineBound), 'phase Lost', lostVolume],
  'its volume is gone, which is known': [state({ ...mineBound, status: { phase: 'Lost' } })],
  'its volume came back': [state({ ...mineBound, status: { phase: 'Lost' } }, { named: volume('v', { spec: { claimRef: refTo(mine) } }) }), 'show-bound v'],
  'its volume is another claim\'s': [state(mineBound, { named: volume('v', { spec: { claimRef: refTo(claim('other')) } }) }), 'phase Lost', 'Warning ClaimMisbound: Two claims are bound to the same volume, this one is bound incorrectly'],
  'it names no volume any more': [state({ ...mineBound, spec: {} }), 'phase Lost', 'Warning ClaimLost: Bound claim has lost reference to PersistentVolume. Data on the volume is lost!'],
  'it waits to grow': [state({ ...mineBound, size: '2Gi' }, { named: volume('v', { spec: { claimRef: refTo(mine) } }) }), 'Warning ExternalExpanding: waiting for an external controller to expand this PVC'],
  'it grows by barge': [state({ ...mineBound, size: '2Gi' }, { named: volume('v', { meta: { annotations: ours }, spec: { claimRef: refTo(mine) } }) })],
  'not protected': [state({ ...mineBound, meta: { annotations: bound, finalizers: [] } }, { named: volume('v', { spec: { claimRef: refTo(mine) } }) }), 'protect'],
  'going while it is used': [state({ meta: { deletionTimestamp: gone } }, { isUsed: true, candidates: [volume('v')] })],
  'going': [state({ meta: { deletionTimestamp: gone } }, { candidates: [volume('v')] }), 'unprotect'],
  'going, held by others': [state({ meta: { deletionTimestamp: gone, finalizers: ['example.com/x'] } })],
  'a claim that nobody looked at yet': [state({ spec: { storageClassName: '' }, status: {} }), 'phase Pending', 'Normal FailedBinding: no persistent volumes available for this claim and no storage class is set'],
};
for (const [what, [input, ...expected]] of Object.entries(claims)) test(`claim: ${what}`, (t) => t.deepEqual(planClaim(input).map(word), expected));

// Volumes

const other = claim('mine', { spec: { volumeName: 'another' } });
const holder = claim('mine', { spec: { volumeName: 'v' } });
const volumes: Readonly<Record<string, readonly [VolumeWords, PersistentVolumeClaim | undefined, ...string[]]>> = {
  'new': [{ phase: 'Pending' }, undefined, 'phase Available'],
  'free': [{}, undefined],
  'kept for a claim': [{ phase: 'Pending', spec: { claimRef: { namespace: 'default', name: 'mine' } } }, undefined, 'phase Available'],
  'its claim does not name it yet': [{ spec: { claimRef: refTo(mine) } }, mine],
  'its claim names it': [{ spec: { claimRef: refTo(mine) } }, holder, 'phase Bound'],
  'bound': [{ phase: 'Bound', spec: { claimRef: refTo(mine) } }, holder],
  'Retain: its claim is gone': [{ phase: 'Bound', spec: { claimRef: refTo(mine) } }, undefined, 'phase Released'],
  'Retain: released': [{ phase: 'Released', spec: { claimRef: refTo(mine) } }, undefined],
  'Recycle is not done': [{ phase: 'Bound', spec: { claimRef: refTo(mine), persistentVolumeReclaimPolicy: 'Recycle' } }, undefined, 'phase Failed', 'Warning VolumeFailedRecycle: No recycler plugin found for the volume!'],
  'Delete: made by hand': [{ phase: 'Bound', spec: { claimRef: refTo(mine), persistentVolumeReclaimPolicy: 'Delete' } }, undefined, 'phase Failed', 'Warning VolumeFailedDelete: error getting deleter volume plugin for volume "v": no deletable volume plugin matched'],
  'Delete: made by others': [{ phase: 'Bound', meta: { annotations: { 'pv.kubernetes.io/provisioned-by': 'example.com/disks' } }, spec: { claimRef: refTo(mine), persistentVolumeReclaimPolicy: 'Delete' } }, undefined, 'phase Released'],
  'Delete: made by barge': [{ phase: 'Bound', meta: { annotations: ours }, spec: { claimRef: refTo(mine), persistentVolumeReclaimPolicy: 'Delete' } }, undefined, 'phase Released', 'delete'],
  'Delete: never bound': [{ phase: 'Pending', meta: { annotations: ours }, spec: { claimRef: refTo(mine), persistentVolumeReclaimPolicy: 'Delete' } }, undefined, 'phase Released', 'delete'],
  'Delete: already asked': [{ phase: 'Released', meta: { annotations: ours, deletionTimestamp: gone, finalizers: [] }, spec: { claimRef: refTo(mine), persistentVolumeReclaimPolicy: 'Delete' } }, undefined],
  'its claim has another, and the binder had chosen': [{ meta: { annotations: { 'pv.kubernetes.io/bound-by-controller': 'yes' } }, spec: { claimRef: refTo(mine) } }, other, 'unbind nothing'],
  'its claim has another, and people had chosen': [{ spec: { claimRef: refTo(mine) } }, other, 'unbind name'],
  'its claim has another, and it was made for the claim': [{ meta: { annotations: ours }, spec: { claimRef: refTo(mine), persistentVolumeReclaimPolicy: 'Delete' } }, other, 'phase Released', 'delete'],
  'going while it is bound': [{ phase: 'Bound', meta: { deletionTimestamp: gone }, spec: { claimRef: refTo(mine) } }, holder],
  'going': [{ phase: 'Available', meta: { deletionTimestamp: gone } }, undefined, 'unprotect'],
  'not protected': [{ meta: { finalizers: [] } }, undefined, 'protect'],
};
for (const [what, [words, its, ...expected]] of Object.entries(volumes)) test(`volume: ${what}`, (t) => t.deepEqual(planVolume({ volume: volume('v', words), claim: its }).map(word), expected));

// Folders on nodes

const node = (name: string, annotations: Readonly<Record<string, string>> = { 'barge.dev/local-path-dir': '/data/volumes' }): Node =>
  ({ apiVersion: 'v1', kind: 'Node', metadata: { name, annotations, labels: { 'kubernetes.io/hostname': `${name}.example.com`, zone: 'a' } }, spec: {} });
const local = storageClass('slow', { provisioner: 'barge.dev/local-path', volumeBindingMode: 'WaitForFirstConsumer' });
const wanting = (words: ClaimWords = {}): PersistentVolumeClaim =>
  claim('mine', { meta: { annotations: { 'volume.kubernetes.io/storage-provisioner': 'barge.dev/local-path', 'volume.kubernetes.io/selected-node': 'n1' } }, ...words });

test('the volume of a claim is a folder of the chosen node, and of no other', (t) => {
  const made = planProvision({ claim: wanting(), storageClass: local, node: node('n1') });
  if (made.do !== 'create') return t.fail(JSON.stringify(made));
  t.like(made.volume.metadata, { name: 'pvc-uid-mine', annotations: { ...ours, 'barge.dev/node': 'n1' } });
  t.deepEqual(made.volume.metadata.finalizers, ['kubernetes.io/pv-protection', 'barge.dev/local-path']);
  t.like(made.volume.spec, { local: { path: '/data/volumes/pvc-uid-mine_default_mine' }, capacity: { storage: '1Gi' }, persistentVolumeReclaimPolicy: 'Delete', storageClassName: 'slow', ...onNode('n1.example.com') });
  t.is(made.volume.spec.claimRef?.uid, 'uid-mine');
});

const refusals: Readonly<Record<string, readonly [ClaimWords, StorageClass, Node | undefined, RegExp]>> = {
  'access modes': [{ spec: { accessModes: ['ReadWriteMany'] } }, local, node('n1'), /^stay only the access modes/],
  'raw devices': [{ spec: { volumeMode: 'Block' } }, local, node('n1'), /^stay only volumeMode Filesystem/],
  'selectors': [{ spec: { selector: {} } }, local, node('n1'), /^stay claim\.spec\.selector/],
  'data sources': [{ spec: { dataSource: { kind: 'PersistentVolumeClaim', name: 'x' } } }, local, node('n1'), /^stay a data source/],
  'a class that does not wait': [{}, { ...local, volumeBindingMode: 'Immediate' }, node('n1'), /^stay .* needs volumeBindingMode WaitForFirstConsumer/],
  'parameters': [{}, { ...local, parameters: { nodePath: '/x' } }, node('n1'), /^stay .* parameter nodePath/],
  'mount options': [{}, { ...local, mountOptions: ['ro'] }, node('n1'), /^stay mount options .*\[ro\]/],
  'a node that is gone': [{}, local, undefined, /^elsewhere node "n1" not found/],
  'a node without a folder': [{}, local, node('n1', {}), /^elsewhere node "n1" does not say where/],
  'a node that the class does not allow': [{}, { ...local, allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['b'] }] }] }, node('n1'), /^elsewhere node "n1" is none of the allowed/],
};
for (const [what, [words, its, on, expected]] of Object.entries(refusals)) {
  test(`a folder is refused for ${what}`, (t) => {
    const plan = planProvision({ claim: wanting(words), storageClass: its, node: on });
    t.regex(plan.do === 'refuse' ? `${plan.elsewhere ? 'elsewhere' : 'stay'} ${plan.why}` : plan.do, expected);
  });
}

test('nothing is made for claims that are bound, going, not asked for, or without a node', (t) => {
  const { annotations } = wanting().metadata;
  for (const words of [{ spec: { volumeName: 'v' } }, { meta: { annotations, deletionTimestamp: gone } }, { meta: { annotations: {} } }, { meta: { annotations: { 'volume.kubernetes.io/storage-provisioner': 'barge.dev/local-path' } } }]) {
    t.deepEqual(planProvision({ claim: wanting(words), storageClass: local, node: node('n1') }), { do: 'nothing' });
  }
  t.deepEqual(planProvision({ claim: wanting(), storageClass: storageClass('slow'), node: node('n1') }), { do: 'nothing' });
});

test('the name of a folder is a name and fits the file system', (t) => {
  const long = claim('x'.repeat(253), { meta: { namespace: 'n'.repeat(63), uid: '5e0f4d0a-0000-4000-8000-000000000000' } });
  t.is(folderName(long).length, 255);
  t.true(folderName(long).startsWith('pvc-5e0f4d0a-0000-4000-8000-000000000000_nnn'));
});

test('a claim grows first in its volume and then in its own status', (t) => {
  const wants = claim('mine', { size: '3Gi', spec: { volumeName: 'v' }, status: whole });
  const of = (size: string, annotations: Readonly<Record<string, string>> = ours): PersistentVolume => volume('v', { size, meta: { annotations } });
  t.deepEqual(planGrowth(wants, of('1Gi')), { do: 'grow-volume', size: '3Gi' });
  t.deepEqual(planGrowth(wants, of('3Gi')), { do: 'show-size', size: '3Gi' });
  t.is(planGrowth({ ...wants, status: { ...whole, capacity: { storage: '3Gi' } } }, of('3Gi')), undefined);
  t.is(planGrowth(wants, of('1Gi', {})), undefined, 'volumes of others');
  t.is(planGrowth(claim('mine', { spec: { volumeName: 'v' }, status: whole }), of('5Gi')), undefined, 'a bigger volume than was asked for');
});

test('the finalizer of the agent follows the policy', (t) => {
  const one = (persistentVolumeReclaimPolicy: 'Delete' | 'Retain', finalizers: readonly string[], meta: object = {}) => planFinalizer(volume('v', { meta: { annotations: ours, finalizers, ...meta }, spec: { persistentVolumeReclaimPolicy } }));
  t.is(one('Delete', []), 'add');
  t.is(one('Delete', [], { deletionTimestamp: gone }), undefined);
  t.is(one('Delete', ['barge.dev/local-path']), undefined);
  t.is(one('Retain', ['barge.dev/local-path']), 'remove');
  t.is(planFinalizer(volume('v', { spec: { persistentVolumeReclaimPolicy: 'Delete' } })), undefined, 'volumes of others');
});

test('a volume of a folder waits for its node when it is deleted, and only then', (t) => {
  const one = (meta: object) => awaitedNode(volume('v', { meta: { annotations: { ...ours, 'barge.dev/node': 'n1' }, finalizers: ['barge.dev/local-path'], deletionTimestamp: gone, ...meta } }));
  t.is(one({}), 'n1');
  t.is(one({ deletionTimestamp: undefined }), undefined);
  t.is(one({ finalizers: ['barge.dev/local-path', 'kubernetes.io/pv-protection'] }), undefined, 'a claim is still bound to it');
  t.is(one({ finalizers: ['example.com/other'] }), undefined, 'it is not the agent who is waited for');
  t.is(one({ annotations: { 'barge.dev/node': 'n1' } }), undefined, 'volumes of others');
});

// Properties

const sizes = fc.constantFrom('1Gi', '2Gi', '3Gi');
const anyVolume = fc.record({ size: sizes, modes: fc.subarray(['ReadWriteOnce', 'ReadOnlyMany'], { minLength: 1 }), storageClassName: fc.constantFrom('slow', 'fast') });
const anyClaim = fc.record({ size: sizes, modes: fc.subarray(['ReadWriteOnce', 'ReadOnlyMany'], { minLength: 1 }) });

test('whatever the order in which claims are looked at, no volume serves two, and all that is settled plans nothing', (t) => {
  fc.assert(fc.property(fc.array(anyVolume, { maxLength: 6 }), fc.array(anyClaim, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 60 }), (made, wishes, order) => {
    const all = made.map(({ size, modes, storageClassName }, index) => volume(`v${index}`, { size, spec: { accessModes: modes, storageClassName } }));
    const wanted = wishes.map(({ size, modes }, index) => claim(`c${index}`, { size, spec: { accessModes: modes } }));
    const look = (index: number, most: number): number => {
      const one = wanted[index]!;
      const steps = planClaim({ claim: one, candidates: all.filter(({ spec }) => spec.claimRef === undefined ? spec.storageClassName === 'slow' : spec.claimRef.name === one.metadata.name), named: all.find(({ metadata }) => metadata.name === one.spec.volumeName), classes: [storageClass('slow')], isUsed: false, consumerNode: undefined, unplacedPod: undefined });
      // A crash may come after any step.
      for (const step of steps.slice(0, most)) carryOut(all, wanted, index, step);
      return steps.filter((step) => step.do !== 'tell').length;
    };
    if (wanted.length > 0) for (const turn of order) look(turn % wanted.length, turn % 4);
    for (let round = 0; round < 3; round++) wanted.forEach((_, index) => look(index, Infinity));
    const holders = all.flatMap(({ spec }) => spec.claimRef?.name ?? []);
    t.is(new Set(holders).size, holders.length, 'no claim has two volumes');
    wanted.forEach((one, index) => {
      t.is(look(index, 0), 0);
      const its = all.find(({ metadata }) => metadata.name === one.spec.volumeName);
      t.is(its?.spec.claimRef?.uid, its === undefined ? undefined : one.metadata.uid);
      if (its === undefined) t.is(matchVolume(one, { volumes: all }), undefined, 'who has none could have none');
    });
  }), { seed: 11, numRuns: 200 });
});

/** The world after a step. */
const carryOut = (all: PersistentVolume[], wanted: PersistentVolumeClaim[], index: number, step: ClaimStep): void => {
  const one = wanted[index]!;
  const replace = (more: Partial<PersistentVolumeClaim>): void => void (wanted[index] = { ...one, ...more });
  if (step.do === 'reserve') {
    const at = all.findIndex(({ metadata }) => metadata.name === step.volume.metadata.name);
    all[at] = { ...all[at]!, spec: { ...all[at]!.spec, claimRef: refTo(one) } };
  } else if (step.do === 'name-volume') replace({ metadata: { ...one.metadata, annotations: bound }, spec: { ...one.spec, volumeName: step.volume.metadata.name } });
  else if (step.do === 'show-bound') replace({ status: { phase: 'Bound', accessModes: step.volume.spec.accessModes ?? [], capacity: step.volume.spec.capacity ?? {} } });
  else if (step.do === 'ask-provisioner') replace({ metadata: { ...one.metadata, annotations: { ...one.metadata.annotations, ...asked } } });
};
