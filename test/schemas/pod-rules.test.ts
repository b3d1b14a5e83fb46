/** Rules for pods that few manifests meet: operating systems, huge pages, old sorts of volumes, pods behind gates. */
import test from 'ava';
import { deletionOf } from '../../apiserver/verbs/deletion.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { PersistentVolume } from '../../schemas/kinds/core/persistent-volume.ts';
import { faults, stored, testFaults, type Fault, type Json } from '../helpers/object-faults.ts';

const container = (more: Json = {}): Json => ({ name: 'a', image: 'a:1', ...more });
const pod = (more: Json = {}): Json => ({ spec: { containers: [container()], ...more } });
const inContainer = (more: Json): Json => pod({ containers: [container(more)] });
const withVolume = (source: Json): Json => pod({ volumes: [{ name: 'v', ...source }] });
const c = 'spec.containers[0]';
const v = 'spec.volumes[0]';

const required = 'requiredDuringSchedulingIgnoredDuringExecution';
const terms = `spec.affinity.nodeAffinity.${required}.nodeSelectorTerms`;
const onNodes = (...matchExpressions: Json[]): Json => ({ nodeAffinity: { [required]: { nodeSelectorTerms: [{ matchExpressions }] } } });
const has = (key: string): Json => ({ key, operator: 'Exists' });
const spread = { maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'DoNotSchedule' };

testFaults(Pod, {
  'resources that are none of a container': [inContainer({ resources: { limits: { storage: '1', pods: '1', 'requests.example.com/a': '1' } } }),
    ...['storage', 'pods', 'requests.example.com/a'].flatMap((name): Fault[] => [`invalid ${c}.resources.limits[${name}]`, `invalid ${c}.resources.requests[${name}]`])],
  'huge pages alone': [inContainer({ resources: { limits: { 'hugepages-2Mi': '4Mi' } } }), `forbidden ${c}.resources`],
  'half a huge page': [inContainer({ resources: { limits: { 'cpu': '1', 'hugepages-2Mi': '3Mi' } } }), `invalid ${c}.resources`],
  'huge pages beside memory': [inContainer({ resources: { limits: { 'memory': '1Gi', 'hugepages-1Gi': '2Gi' } } })],
  'a path of a mount twice': [pod({ volumes: [{ name: 'v' }], containers: [container({ volumeMounts: [{ name: 'v', mountPath: '/a' }, { name: 'v', mountPath: '/a' }] })] }), `invalid ${c}.volumeMounts[1].mountPath`],
  'a path of a device twice': [pod({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }], containers: [container({ volumeDevices: [{ name: 'v', devicePath: '/a' }, { name: 'v', devicePath: '/a' }] })] }), `invalid ${c}.volumeDevices[1].devicePath`],
  'a label value that no node can have': [pod({ affinity: onNodes({ key: 'a', operator: 'In', values: ['ok', '-x!'] }) }), `invalid ${terms}[0].matchExpressions[0].values[1]`],
  'a wish for such a value is taken': [pod({ affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: { matchExpressions: [{ key: 'a', operator: 'In', values: ['-x!'] }] } }] } } })],
  'label keys that say twice what must be equal': [pod({ topologySpreadConstraints: [{ ...spread, matchLabelKeys: ['a', 'b', 'c'], labelSelector: { matchLabels: { a: '1' }, matchExpressions: [has('b')] } }] }),
    'invalid spec.topologySpreadConstraints[0].matchLabelKeys[0]', 'invalid spec.topologySpreadConstraints[0].matchLabelKeys[1]'],
  'label keys that must be equal and differ': [pod({ affinity: { podAffinity: { [required]: [{ topologyKey: 'z', labelSelector: {}, matchLabelKeys: ['a', 'b'], mismatchLabelKeys: ['b'] }] } } }),
    `invalid spec.affinity.podAffinity.${required}[0].matchLabelKeys[1]`],
  'users of its own in namespaces of the node': [pod({ hostUsers: false, hostNetwork: true, hostPID: true }), 'forbidden spec.hostNetwork', 'forbidden spec.hostPID'],
  'Linux on Windows': [pod({ os: { name: 'windows' }, hostPID: true, hostIPC: false, securityContext: { runAsUser: 1, fsGroup: 2 }, initContainers: [container({ name: 'i', securityContext: { privileged: true } })], containers: [container({ securityContext: { capabilities: {} } })] }),
    'forbidden spec.hostPID', 'forbidden spec.securityContext.fsGroup', 'forbidden spec.securityContext.runAsUser', 'forbidden spec.initContainers[0].securityContext.privileged', `forbidden ${c}.securityContext.capabilities`],
  'a host name in full': [pod({ hostnameOverride: 'shop.example.com' })],
  'a host name in full that has the field to itself': [pod({ hostnameOverride: 'a.b', setHostnameAsFQDN: true, hostNetwork: true }), 'forbidden spec.hostnameOverride', 'forbidden spec.hostnameOverride'],
  'a host name that Linux does not take': [pod({ hostnameOverride: `${'a'.repeat(40)}.${'b'.repeat(24)}` }), 'invalid spec.hostnameOverride'],
  'a host name that is none': [pod({ hostnameOverride: 'A_b' }), 'invalid spec.hostnameOverride'],
  'signals that stop a container': [pod({ os: { name: 'linux' }, containers: ['SIGUSR1', 'SIGRTMIN+15', 'SIGRTMAX-14'].map((stopSignal, index) => container({ name: `c${index}`, lifecycle: { stopSignal } })) })],
  'a signal that there is not': [pod({ os: { name: 'linux' }, containers: ['SIGRTMIN+16', 'usr1'].map((stopSignal, index) => container({ name: `c${index}`, lifecycle: { stopSignal } })) }),
    `invalid ${c}.lifecycle.stopSignal`, 'invalid spec.containers[1].lifecycle.stopSignal'],
  'a signal without a system': [inContainer({ lifecycle: { stopSignal: 'SIGUSR1' } }), `forbidden ${c}.lifecycle.stopSignal`],
  'Windows on Linux': [pod({ os: { name: 'linux' }, containers: [container({ securityContext: { windowsOptions: {} } })] }), `forbidden ${c}.securityContext.windowsOptions`],
  'a process of a Windows host needs its network': [pod({ os: { name: 'windows' }, hostNetwork: true, securityContext: { windowsOptions: { hostProcess: true } } })],
  'a claim of the pod': [withVolume({ ephemeral: { volumeClaimTemplate: { metadata: { name: 'x', labels: { 'a b': 'c' } }, spec: {} } } }),
    ...['forbidden metadata.name', 'invalid metadata.labels', 'required spec.accessModes', 'required spec.resources[storage]'].map((text) => text.replace(' ', ` ${v}.ephemeral.volumeClaimTemplate.`) as Fault)],
  'the secret of a CSI volume': [withVolume({ csi: { driver: 'a_b', nodePublishSecretRef: {} } }), `invalid ${v}.csi.driver`, `required ${v}.csi.nodePublishSecretRef.name`],
  'disks': [pod({ volumes: [{ name: 'a', awsElasticBlockStore: { volumeID: '', partition: 256 } }, { name: 'b', gcePersistentDisk: { pdName: '' } }, { name: 'c', azureDisk: { diskName: '', diskURI: '' } }, { name: 'd', vsphereVolume: { volumePath: '' } }, { name: 'e', cinder: { volumeID: '' } }] }),
    'invalid spec.volumes[0].awsElasticBlockStore.partition', 'required spec.volumes[0].awsElasticBlockStore.volumeID', 'required spec.volumes[1].gcePersistentDisk.pdName', 'required spec.volumes[2].azureDisk.diskName', 'required spec.volumes[2].azureDisk.diskURI',
    'required spec.volumes[3].vsphereVolume.volumePath', 'required spec.volumes[4].cinder.volumeID'],
  'storage on the network': [pod({ volumes: [{ name: 'a', rbd: { monitors: [], image: '' } }, { name: 'b', glusterfs: { endpoints: '', path: '' } }, { name: 'c', cephfs: { monitors: [] } }, { name: 'd', quobyte: { registry: 'a', volume: '' } }, { name: 'e', scaleIO: { gateway: '', system: '', secretRef: { name: 's' } } }, { name: 'f', storageos: {} }, { name: 'g', flocker: {} }] }),
    'required spec.volumes[0].rbd.image', 'required spec.volumes[0].rbd.monitors', 'required spec.volumes[1].glusterfs.endpoints', 'required spec.volumes[1].glusterfs.path', 'required spec.volumes[2].cephfs.monitors',
    'invalid spec.volumes[3].quobyte.registry', 'required spec.volumes[3].quobyte.volume', 'required spec.volumes[4].scaleIO.gateway', 'required spec.volumes[4].scaleIO.system', 'required spec.volumes[4].scaleIO.volumeName',
    'required spec.volumes[5].storageos.volumeName', 'required spec.volumes[6].flocker'],
  'iSCSI': [withVolume({ iscsi: { targetPortal: '', iqn: 'x', lun: 256, chapAuthSession: true, initiatorName: 'eui.1' } }),
    `required ${v}.iscsi.targetPortal`, `invalid ${v}.iscsi.iqn`, `invalid ${v}.iscsi.lun`, `required ${v}.iscsi.secretRef`, `invalid ${v}.iscsi.initiatorName`],
  'iSCSI names': [pod({ volumes: ['iqn.2015-02.example.com:storage.kube.sys1', 'eui.0123456789ABCDEF', 'naa.60014051234567890123456789abcdef'].map((iqn, index) => ({ name: `v${index}`, iscsi: { targetPortal: '1.1.1.1', iqn, lun: 0 } })) })],
  'fibre channel': [pod({ volumes: [{ name: 'a', fc: {} }, { name: 'b', fc: { targetWWNs: ['x'] } }, { name: 'c', fc: { targetWWNs: ['x'], lun: 1, wwids: ['y'] } }, { name: 'd', fc: { wwids: ['y'] } }] }),
    'required spec.volumes[0].fc.targetWWNs', 'required spec.volumes[1].fc.lun', 'invalid spec.volumes[2].fc.targetWWNs'],
  'a clone into another folder': [withVolume({ gitRepo: { repository: '', directory: '../x' } }), `required ${v}.gitRepo.repository`, `invalid ${v}.gitRepo.directory`],
});

testFaults(PersistentVolume, {
  'what pods may not say either': [{ spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], fc: { lun: 1 } } }, 'required spec.fc.targetWWNs'],
  'iSCSI': [{ spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], iscsi: { targetPortal: 'a', iqn: 'iqn.1:a', lun: -1 } } }, 'invalid spec.iscsi.iqn', 'invalid spec.iscsi.lun'],
});

testFaults(Pod, {
  'a container less': [{ spec: { containers: [] } }, 'required spec.containers'],
  'an init container more': [pod({ initContainers: [container({ name: 'i' })] }), 'forbidden spec.initContainers'],
  'another time to stop': [pod({ terminationGracePeriodSeconds: 1 }), 'forbidden spec'],
  'nodes that it insists on': [pod({ affinity: onNodes(has('a')) }), 'forbidden spec'],
}, pod());

testFaults(Pod, {
  'less than no time becomes a second': [pod({ terminationGracePeriodSeconds: 1 })],
  'and nothing else': [pod({ terminationGracePeriodSeconds: 2 }), 'forbidden spec'],
}, pod({ terminationGracePeriodSeconds: -5 }));

const gated = (affinity?: Json, more: Json = {}): Json => pod({ schedulingGates: [{ name: 'g' }], ...(affinity === undefined ? {} : { affinity }), ...more });
const zone = { podAntiAffinity: { [required]: [{ topologyKey: 'z', labelSelector: {} }] } };

testFaults(Pod, {
  'fewer nodes': [gated(onNodes(has('a'), has('b')), { nodeSelector: { x: 'y' } })],
  'a wish': [gated({ ...onNodes(has('a')), nodeAffinity: { ...onNodes(has('a'))['nodeAffinity'] as Json, preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: { matchExpressions: [has('c')] } }] } })],
  'other nodes': [gated(onNodes(has('b'))), `invalid ${terms}[0]`],
  'more nodes': [gated(), `invalid ${terms}`],
  'other neighbours': [gated({ ...onNodes(has('a')), ...zone }), 'forbidden spec'],
  'no gate any more, in the same step': [pod({ affinity: onNodes(has('a'), has('b')) })],
}, gated(onNodes(has('a'))));

testFaults(Pod, { 'behind a gate, nodes can be named for the first time': [gated(onNodes(has('a')))], 'beside neighbours': [gated({ ...onNodes(has('a')), ...zone }), 'forbidden spec'] }, gated());

test('label keys of neighbours become conditions with the values of the new pod', (t) => {
  const term = { topologyKey: 'z', labelSelector: { matchLabels: { app: 'x' } }, matchLabelKeys: ['version', 'none'], mismatchLabelKeys: ['tenant'] };
  const affinity = { podAffinity: { [required]: [term] }, podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: { ...term, mismatchLabelKeys: [] } }] } };
  const labels = { version: '7', tenant: 'a', app: 'x' };
  const made = stored(Pod, { metadata: { labels }, ...pod({ affinity }) });
  const [same, other] = [{ key: 'version', operator: 'In', values: ['7'] }, { key: 'tenant', operator: 'NotIn', values: ['a'] }];
  t.like(made, { spec: { affinity: {
    podAffinity: { [required]: [{ ...term, labelSelector: { matchLabels: { app: 'x' }, matchExpressions: [same, other] } }] },
    podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ podAffinityTerm: { labelSelector: { matchExpressions: [same] } } }] },
  } } });
  t.deepEqual(faults(Pod, { metadata: { labels }, ...pod({ affinity }) }), []);
  t.like(stored(Pod, { metadata: { labels: { ...labels, version: '8' } }, spec: (made as { spec?: Json }).spec }, made), { spec: (made as { spec?: Json }).spec }, 'and stay when the labels change');
});

test('a pod that gives itself less than no time gets a second', (t) => {
  const running = { ...stored(Pod, pod({ nodeName: 'n', terminationGracePeriodSeconds: -5 })), status: { phase: 'Running' } };
  const deletion = deletionOf(Pod, running as never, {}, 0);
  t.like(deletion, { action: 'mark', metadata: { deletionGracePeriodSeconds: 1 } });
});
