/** Bad objects, each with the exact fields that are wrong and why. A case starts from a good object and spoils it. */
import test from 'ava';
import * as fc from 'fast-check';
import { validate, validateStatus } from '../../schemas/validate.ts';
import { ApiError } from '../../schemas/errors.ts';
import type { AnyKind } from '../../schemas/kind.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { ReplicaSet } from '../../schemas/kinds/apps/replica-set.ts';
import { Lease } from '../../schemas/kinds/coordination/lease.ts';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import { Endpoints } from '../../schemas/kinds/core/endpoints.ts';
import { Event } from '../../schemas/kinds/core/event.ts';
import { Namespace } from '../../schemas/kinds/core/namespace.ts';
import { Node } from '../../schemas/kinds/core/node.ts';
import { Pod } from '../../schemas/kinds/core/pod.ts';
import { Secret } from '../../schemas/kinds/core/secret.ts';
import { Service } from '../../schemas/kinds/core/service.ts';
import { EndpointSlice } from '../../schemas/kinds/discovery/endpoint-slice.ts';
import { validateEphemeralContainersUpdate } from '../../schemas/validation/pod.ts';
import { stored, testFaults, type Cases, type Fault, type Json } from '../helpers/object-faults.ts';

const container = (more: Json = {}): Json => ({ name: 'a', image: 'a:1', ...more });
const podSpec = (more: Json = {}): Json => ({ spec: { containers: [container()], ...more } });
const inContainer = (more: Json): Json => podSpec({ containers: [container(more)] });
const withVolume = (source: Json): Json => podSpec({ volumes: [{ name: 'v', ...source }] });
const c = 'spec.containers[0]';
const v = 'spec.volumes[0]';

const podCases: Cases = {
  'no containers': [{ spec: {} }, 'required spec.containers'],
  'an empty list of containers': [podSpec({ containers: [] }), 'required spec.containers'],
  'no spec at all': [{}, 'required spec.containers'],
  'names and images': [podSpec({ containers: [{ name: '', image: '' }, { name: 'B', image: ' a' }, { name: 'c' }] }),
    'invalid spec.containers[1].image', 'invalid spec.containers[1].name', 'required spec.containers[0].image', 'required spec.containers[0].name', 'required spec.containers[2].image'],
  'a name twice': [podSpec({ containers: [container(), container()] }), 'duplicate spec.containers[1].name'],
  'an init container of the same name': [podSpec({ initContainers: [container()] }), 'duplicate spec.initContainers[0].name'],
  'ports': [inContainer({ ports: [{ containerPort: 0 }, { containerPort: 70_000, hostPort: -1, hostIP: 'x', name: 'TOO' }, { containerPort: 1, protocol: 'ICMP', name: 'p' }, { containerPort: 2, name: 'p' }, {}] }),
    `duplicate ${c}.ports[3].name`, `invalid ${c}.ports[0].containerPort`, `invalid ${c}.ports[1].containerPort`, `invalid ${c}.ports[1].hostIP`, `invalid ${c}.ports[1].hostPort`, `invalid ${c}.ports[1].name`, `required ${c}.ports[4].containerPort`, `unsupported ${c}.ports[2].protocol`],
  'a host port twice': [podSpec({ containers: [container({ ports: [{ containerPort: 1, hostPort: 80 }] }), container({ name: 'b', ports: [{ containerPort: 2, hostPort: 80 }] })] }), 'duplicate spec.containers[1].ports[0].hostPort'],
  'host ports on the host network': [podSpec({ hostNetwork: true, containers: [container({ ports: [{ containerPort: 1, hostPort: 2 }] })] }), `invalid ${c}.ports[0].hostPort`],
  'pull and termination policies': [inContainer({ imagePullPolicy: 'Sometimes', terminationMessagePolicy: 'Log' }), `unsupported ${c}.imagePullPolicy`, `unsupported ${c}.terminationMessagePolicy`],
  'restart policy of a container': [inContainer({ restartPolicy: 'Always' }), `forbidden ${c}.restartPolicy`],
  'environment names': [inContainer({ env: [{ name: '' }, { name: 'A=B' }, { value: 'x' }] }), `invalid ${c}.env[1].name`, `required ${c}.env[0].name`, `required ${c}.env[2].name`],
  'a variable twice is taken': [inContainer({ env: [{ name: 'A', value: '1' }, { name: 'A', value: '2' }] })],
  'sources of variables': [inContainer({ env: [
    { name: 'A', valueFrom: {} }, { name: 'B', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'C', valueFrom: { fieldRef: { fieldPath: 'metadata.name' }, secretKeyRef: { name: 's', key: 'k' } } },
    { name: 'D', valueFrom: { fieldRef: { fieldPath: 'spec.hostname' } } }, { name: 'E', valueFrom: { fieldRef: { fieldPath: "metadata.labels['a b']" } } },
    { name: 'F', valueFrom: { configMapKeyRef: { key: '' } } }, { name: 'G', valueFrom: { resourceFieldRef: { resource: 'limits.gpu' } } },
    { name: 'H', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1Mi' } } }, { name: 'I', valueFrom: { fieldRef: { fieldPath: "metadata.annotations['a/b']" } } },
  ] }),
  `invalid ${c}.env[0].valueFrom`, `invalid ${c}.env[1].valueFrom`, `invalid ${c}.env[2].valueFrom`, `invalid ${c}.env[4].valueFrom.fieldRef.fieldPath`, `invalid ${c}.env[7].valueFrom.resourceFieldRef.divisor`,
  `required ${c}.env[5].valueFrom.configMapKeyRef.key`, `required ${c}.env[5].valueFrom.configMapKeyRef.name`, `unsupported ${c}.env[3].valueFrom.fieldRef.fieldPath`, `unsupported ${c}.env[6].valueFrom.resourceFieldRef.resource`],
  'sources of many variables': [inContainer({ envFrom: [{}, { configMapRef: {} }, { prefix: '=', secretRef: { name: 'S' } }, { configMapRef: { name: 'a' }, secretRef: { name: 'b' } }] }),
    `forbidden ${c}.envFrom[3]`, `invalid ${c}.envFrom[0]`, `invalid ${c}.envFrom[2].prefix`, `invalid ${c}.envFrom[2].secretRef.name`, `required ${c}.envFrom[1].configMapRef.name`],
  'mounts': [podSpec({ volumes: [{ name: 'v' }], containers: [container({ volumeMounts: [
    { name: 'nope', mountPath: '/a' }, { name: 'v', mountPath: '' }, { name: 'v', mountPath: '/b', subPath: '../x' }, { name: 'v', mountPath: '/b' },
    { name: 'v', mountPath: '/c', subPath: 'x', subPathExpr: 'y' }, { name: 'v', mountPath: '/d', mountPropagation: 'Bidirectional' }, { name: 'v', mountPath: '/e', recursiveReadOnly: 'Enabled' }, { mountPath: '/f' },
  ] })] }), `absent ${c}.volumeMounts[0].name`, `invalid ${c}.volumeMounts[3].mountPath`, `forbidden ${c}.volumeMounts[5].mountPropagation`, `forbidden ${c}.volumeMounts[6].recursiveReadOnly`,
  `invalid ${c}.volumeMounts[2].subPath`, `invalid ${c}.volumeMounts[4].subPathExpr`, `required ${c}.volumeMounts[1].mountPath`, `required ${c}.volumeMounts[7].name`],
  'devices': [podSpec({ volumes: [{ name: 'v' }], containers: [container({ volumeDevices: [{ name: 'v', devicePath: '/dev/a' }, { name: 'w', devicePath: '/dev/../b' }] })] }),
    `absent ${c}.volumeDevices[1].name`, `invalid ${c}.volumeDevices[0].name`, `invalid ${c}.volumeDevices[1].devicePath`],
  'resources': [inContainer({ resources: { requests: { cpu: '2', memory: '-1', 'example.com/gpu': '1', 'cpus': '1' }, limits: { cpu: '1', 'example.com/gpu': '1500m', memory: 'lots' }, claims: [{ name: 'nope' }] } }),
    `absent ${c}.resources.claims[0]`, `invalid ${c}.resources.limits[example.com/gpu]`, `invalid ${c}.resources.limits[memory]`, `invalid ${c}.resources.requests`, `invalid ${c}.resources.requests`,
    `invalid ${c}.resources.requests[cpus]`, `invalid ${c}.resources.requests[memory]`],
  'a device must have a limit': [inContainer({ resources: { requests: { 'example.com/gpu': '1' } } }), `required ${c}.resources.limits`],
  'probes': [inContainer({
    livenessProbe: {}, readinessProbe: { exec: { command: [] }, httpGet: { port: 'NO', httpHeaders: [{ name: 'a b', value: '' }] }, terminationGracePeriodSeconds: 1 },
    startupProbe: { tcpSocket: { port: 0 }, successThreshold: 2, periodSeconds: -1, initialDelaySeconds: -1, terminationGracePeriodSeconds: 0 },
  }), `forbidden ${c}.readinessProbe.httpGet`, `invalid ${c}.readinessProbe.httpGet.httpHeaders[0].name`, `invalid ${c}.readinessProbe.httpGet.port`, `invalid ${c}.readinessProbe.terminationGracePeriodSeconds`,
  `invalid ${c}.startupProbe.initialDelaySeconds`, `invalid ${c}.startupProbe.periodSeconds`, `invalid ${c}.startupProbe.successThreshold`, `invalid ${c}.startupProbe.tcpSocket.port`, `invalid ${c}.startupProbe.terminationGracePeriodSeconds`,
  `required ${c}.livenessProbe`, `required ${c}.readinessProbe.exec.command`],
  'hooks': [inContainer({ lifecycle: { postStart: {}, preStop: { sleep: { seconds: 31 } } } }), `invalid ${c}.lifecycle.preStop.sleep`, `required ${c}.lifecycle.postStart`],
  'security of a container': [inContainer({ securityContext: { runAsUser: -1, runAsGroup: 2 ** 31, privileged: true, allowPrivilegeEscalation: false, procMount: 'Unmasked', seccompProfile: { type: 'Localhost' }, appArmorProfile: { type: 'RuntimeDefault', localhostProfile: 'x' } } }),
    `invalid ${c}.securityContext`, `invalid ${c}.securityContext.appArmorProfile.localhostProfile`, `invalid ${c}.securityContext.procMount`, `invalid ${c}.securityContext.runAsGroup`, `invalid ${c}.securityContext.runAsUser`, `required ${c}.securityContext.seccompProfile.localhostProfile`],
  'init containers': [podSpec({ initContainers: [container({ name: 'i', livenessProbe: { exec: { command: ['x'] } }, lifecycle: {}, restartPolicy: 'Never' }), container({ name: 's', restartPolicy: 'Always', livenessProbe: { exec: { command: ['x'] } } })] }),
    'forbidden spec.initContainers[0].lifecycle', 'forbidden spec.initContainers[0].livenessProbe', 'unsupported spec.initContainers[0].restartPolicy'],
  'ephemeral containers': [podSpec({ ephemeralContainers: [container({ name: 'e' })] }), 'forbidden spec.ephemeralContainers'],
  'volume names': [podSpec({ volumes: [{ name: '' }, { name: 'A' }, { name: 'v' }, { name: 'v' }] }), 'duplicate spec.volumes[3].name', 'invalid spec.volumes[1].name', 'required spec.volumes[0].name'],
  'two sources': [withVolume({ emptyDir: {}, hostPath: { path: '/a' } }), `forbidden ${v}.hostPath`],
  'no source is an empty folder': [withVolume({})],
  'emptyDir': [withVolume({ emptyDir: { medium: 'Disk', sizeLimit: '-1' } }), `forbidden ${v}.emptyDir.sizeLimit`, `unsupported ${v}.emptyDir.medium`],
  'hostPath': [withVolume({ hostPath: { path: '/a/../b', type: 'Folder' } }), `invalid ${v}.hostPath.path`, `unsupported ${v}.hostPath.type`],
  'configMap': [withVolume({ configMap: { defaultMode: 512, items: [{ key: 'a/b', path: '/x' }, { key: '', path: '..x', mode: -1 }] } }),
    `invalid ${v}.configMap.defaultMode`, `invalid ${v}.configMap.items[0].key`, `invalid ${v}.configMap.items[0].path`, `invalid ${v}.configMap.items[1].mode`, `invalid ${v}.configMap.items[1].path`, `required ${v}.configMap.items[1].key`, `required ${v}.configMap.name`],
  'secret': [withVolume({ secret: {} }), `required ${v}.secret.secretName`],
  'downwardAPI': [withVolume({ downwardAPI: { items: [{ path: 'a' }, { path: 'b', fieldRef: { fieldPath: 'status.podIP' } }, { path: 'c', resourceFieldRef: { resource: 'limits.cpu' } }, { path: '', fieldRef: { fieldPath: 'metadata.labels' }, resourceFieldRef: { containerName: 'a', resource: 'limits.cpu' } }] } }),
    `invalid ${v}.downwardAPI.items[3]`, `required ${v}.downwardAPI.items[0]`, `required ${v}.downwardAPI.items[2].resourceFieldRef.containerName`, `required ${v}.downwardAPI.items[3].path`, `unsupported ${v}.downwardAPI.items[1].fieldRef.fieldPath`],
  'projected': [withVolume({ projected: { sources: [{}, { secret: { name: 's' }, configMap: { name: 'c' } }, { serviceAccountToken: { path: 't', expirationSeconds: 599 } }, { configMap: { name: 'c', items: [{ key: 'k', path: 't' }] } }, { downwardAPI: { items: [{ path: 'd' }] } }] } }),
    `forbidden ${v}.projected.sources[1].configMap`, `invalid ${v}.projected.sources[2].serviceAccountToken.expirationSeconds`, `invalid ${v}.projected.sources[3]`, `required ${v}.projected.sources[0]`, `required ${v}.projected.sources[4].downwardAPI.items[0]`],
  'claims and shares': [podSpec({ volumes: [{ name: 'a', persistentVolumeClaim: { claimName: 'C' } }, { name: 'b', nfs: { server: '', path: 'x' } }, { name: 'c', image: {} }, { name: 'd', csi: { driver: '' } }, { name: 'e', ephemeral: {} }] }),
    'invalid spec.volumes[0].persistentVolumeClaim.claimName', 'invalid spec.volumes[1].nfs.path', 'required spec.volumes[1].nfs.server', 'required spec.volumes[2].image.reference', 'required spec.volumes[3].csi.driver', 'required spec.volumes[4].ephemeral.volumeClaimTemplate'],
  'policies': [podSpec({ restartPolicy: 'Often', dnsPolicy: 'Mine', preemptionPolicy: 'Maybe' }), 'unsupported spec.dnsPolicy', 'unsupported spec.preemptionPolicy', 'unsupported spec.restartPolicy'],
  'times': [podSpec({ terminationGracePeriodSeconds: -1, activeDeadlineSeconds: 0 }), 'invalid spec.activeDeadlineSeconds'],
  'names of other things': [podSpec({ serviceAccountName: 'A', nodeName: 'N_1', schedulerName: 'S', priorityClassName: '!', imagePullSecrets: [{}, { name: 'A' }], hostname: 'a.b', subdomain: '-' }),
    'invalid spec.hostname', 'invalid spec.nodeName', 'invalid spec.priorityClassName', 'invalid spec.schedulerName', 'invalid spec.serviceAccountName', 'invalid spec.subdomain'],
  'node selector': [podSpec({ nodeSelector: { 'a b': 'c', 'd': '-' } }), 'invalid spec.nodeSelector', 'invalid spec.nodeSelector'],
  'dns': [podSpec({ dnsPolicy: 'None', dnsConfig: { nameservers: ['a', '1.1.1.1', '1.1.1.2', '1.1.1.3'], searches: ['A b'], options: [{ value: 'x' }] } }),
    'invalid spec.dnsConfig.nameservers[0]', 'invalid spec.dnsConfig.searches[0]', 'invalid spec.dnsConfig.nameservers', 'required spec.dnsConfig.options[0]'],
  'no name server of its own': [podSpec({ dnsPolicy: 'None' }), 'required spec.dnsConfig'],
  'search domains': [podSpec({ dnsConfig: { searches: Array.from({ length: 33 }, (_, index) => `${'a'.repeat(63)}.${index}`) } }), 'invalid spec.dnsConfig.searches', 'invalid spec.dnsConfig.searches'],
  'long search domains': [podSpec({ dnsConfig: { searches: Array.from({ length: 32 }, (_, index) => `${'a'.repeat(63)}.${index}`) } }), 'invalid spec.dnsConfig.searches'],
  'host aliases': [podSpec({ hostAliases: [{ ip: 'x', hostnames: ['A'] }] }), 'invalid spec.hostAliases[0].hostnames[0]', 'invalid spec.hostAliases[0].ip'],
  'process namespaces': [podSpec({ shareProcessNamespace: true, hostPID: true }), 'invalid spec.shareProcessNamespace'],
  'security of the pod': [podSpec({ hostNetwork: true, securityContext: { fsGroup: -1, supplementalGroups: [0, -1], fsGroupChangePolicy: 'Never', sysctls: [{ name: 'net.core.somaxconn', value: '1' }, { name: 'a b', value: '' }, { name: 'kernel.x', value: '1' }, { name: 'kernel/x', value: '1' }, { name: '', value: '' }] } }),
    'duplicate spec.securityContext.sysctls[3].name', 'invalid spec.securityContext.fsGroup', 'invalid spec.securityContext.supplementalGroups[1]', 'invalid spec.securityContext.sysctls[0].name', 'invalid spec.securityContext.sysctls[1].name', 'required spec.securityContext.sysctls[4].name', 'unsupported spec.securityContext.fsGroupChangePolicy'],
  'tolerations': [podSpec({ tolerations: [{}, { key: 'a', operator: 'Exists', value: 'b' }, { key: 'a', tolerationSeconds: 1 }, { key: 'a b', value: '-' }, { operator: 'Near' }, { operator: 'Exists' }] }),
    'invalid spec.tolerations[0].operator', 'invalid spec.tolerations[1].operator', 'invalid spec.tolerations[2].effect', 'invalid spec.tolerations[3].key', 'invalid spec.tolerations[3].value', 'unsupported spec.tolerations[4].operator'],
  'node affinity': [podSpec({ affinity: { nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In' }, { key: 'a', operator: 'Exists', values: ['x'] }, { key: 'a', operator: 'Gt', values: ['x'] }, { key: 'a', operator: 'Like' }], matchFields: [{ key: 'spec.x', operator: 'In', values: ['a'] }, { key: 'metadata.name', operator: 'Exists' }] }] },
    preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 101, preference: {} }, { weight: 1 }],
  } } }), ...['invalid required.nodeSelectorTerms[0].matchExpressions[2].values[0]', 'invalid required.nodeSelectorTerms[0].matchFields[0].key', 'invalid preferred[0].weight', 'forbidden required.nodeSelectorTerms[0].matchExpressions[1].values',
    'required required.nodeSelectorTerms[0].matchExpressions[0].values', 'required preferred[1].preference', 'unsupported required.nodeSelectorTerms[0].matchExpressions[3].operator', 'unsupported required.nodeSelectorTerms[0].matchFields[1].operator']
    .map((text) => text.replace(/ (required|preferred)/, ' spec.affinity.nodeAffinity.$1DuringSchedulingIgnoredDuringExecution') as Fault)],
  'empty node affinity': [podSpec({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: {} } } }), 'required spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms'],
  'pod affinity': [podSpec({ affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{}, { topologyKey: 'a b', namespaces: ['A'], labelSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } }, { topologyKey: 'a', matchLabelKeys: ['b'] }] } } }),
    ...['forbidden [2].matchLabelKeys', 'invalid [1].namespaces[0]', 'invalid [1].topologyKey', 'required [0].topologyKey', 'required [1].labelSelector.matchExpressions[0].values'].map((text) => text.replace(' ', ' spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution') as Fault)],
  'spread': [podSpec({ topologySpreadConstraints: [{ maxSkew: 0, topologyKey: 'z', whenUnsatisfiable: 'Panic' }, { maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'ScheduleAnyway', minDomains: 2 }, { maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'ScheduleAnyway' }] }),
    'duplicate spec.topologySpreadConstraints[2]', 'invalid spec.topologySpreadConstraints[0].maxSkew', 'invalid spec.topologySpreadConstraints[1].minDomains', 'unsupported spec.topologySpreadConstraints[0].whenUnsatisfiable'],
  'gates': [podSpec({ nodeName: 'n', schedulingGates: [{ name: 'a' }, { name: 'a b' }, { name: 'a' }], readinessGates: [{ conditionType: 'a b' }] }),
    'duplicate spec.schedulingGates[2].name', 'forbidden spec.nodeName', 'invalid spec.readinessGates[0].conditionType', 'invalid spec.schedulingGates[1]'],
};

testFaults(Pod, { 'good': [podSpec()], ...podCases });

const meta = (more: Json): Json => ({ ...podSpec(), metadata: more });

testFaults(Pod, {
  'metadata: names': [meta({ name: 'A b' }), 'invalid metadata.name'],
  'metadata: no name': [meta({ name: '' }), 'required metadata.name'],
  'metadata: generated names': [meta({ generateName: 'A-' }), 'invalid metadata.generateName'],
  'metadata: namespaces': [meta({ namespace: 'a.b' }), 'invalid metadata.namespace'],
  'metadata: labels': [meta({ labels: { 'a b': 'c', 'd': 'e f' } }), 'invalid metadata.labels', 'invalid metadata.labels'],
  'metadata: annotations': [meta({ annotations: { 'a b': 'any text at all' } }), 'invalid metadata.annotations'],
  'metadata: annotations of upper case': [meta({ annotations: { 'Example.COM/A': '' } })],
  'metadata: many annotations': [meta({ annotations: { a: 'x'.repeat(256 * 1024) } }), 'long metadata.annotations'],
  'metadata: as many annotations as may be': [meta({ annotations: { a: 'x'.repeat(256 * 1024 - 1) } })],
  'metadata: owners': [meta({ ownerReferences: [{ apiVersion: 'v1', kind: 'Event', name: 'e', uid: 'u' }, { apiVersion: 'a/b/c', kind: '', name: '', uid: '', controller: true }, { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u', controller: true }, { apiVersion: 'v1' }] }),
    'invalid metadata.ownerReferences', 'invalid metadata.ownerReferences[0]', 'invalid metadata.ownerReferences[1].apiVersion', 'required metadata.ownerReferences[1].kind', 'required metadata.ownerReferences[1].name', 'required metadata.ownerReferences[1].uid',
    'required metadata.ownerReferences[3].kind', 'required metadata.ownerReferences[3].name', 'required metadata.ownerReferences[3].uid'],
  'metadata: finalizers': [meta({ finalizers: ['a b', 'mine', 'example.com/mine', 'orphan', 'foregroundDeletion', 'orphan'] }), 'duplicate metadata.finalizers[5]', 'invalid metadata.finalizers', 'invalid metadata.finalizers[0]', 'invalid metadata.finalizers[1]'],
  'metadata: managers': [meta({ managedFields: [{ manager: 'm'.repeat(129), operation: 'Guess' }] }), 'long metadata.managedFields[0].manager', 'unsupported metadata.managedFields[0].operation'],
});

testFaults(Namespace, {
  'names are labels': [{ metadata: { name: 'a.b' } }, 'invalid metadata.name'],
  'a cluster kind has no namespace': [{ metadata: { namespace: 'x' } }, 'forbidden metadata.namespace'],
  'finalizers': [{ spec: { finalizers: ['kubernetes', 'a b'] } }, 'invalid spec.finalizers[1]'],
});

const oldPod: Json = { metadata: { uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z', generation: 2, finalizers: ['a.b/c'] }, spec: { containers: [container()], nodeName: 'n', tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute' }], activeDeadlineSeconds: 100 } };
const changed = (spec: Json, metadata: Json = {}): Json => ({ metadata: { ...(oldPod['metadata'] as Json), ...metadata }, spec: { ...(oldPod['spec'] as Json), ...spec } });

testFaults(Pod, {
  'nothing': [changed({})],
  'an image, a shorter deadline, a further toleration': [changed({ containers: [container({ image: 'a:2' })], activeDeadlineSeconds: 50, tolerations: [{ key: 'b', operator: 'Exists' }, { key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }] })],
  'a command': [changed({ containers: [container({ command: ['x'] })] }), 'forbidden spec'],
  'another node': [changed({ nodeName: 'm' }), 'forbidden spec'],
  'a further container': [changed({ containers: [container(), container({ name: 'b' })] }), 'forbidden spec.containers'],
  'a longer deadline': [changed({ activeDeadlineSeconds: 101 }), 'invalid spec.activeDeadlineSeconds'],
  'no deadline': [changed({ activeDeadlineSeconds: null }), 'invalid spec.activeDeadlineSeconds'],
  'a toleration less': [changed({ tolerations: [] }), 'forbidden spec.tolerations'],
  'new gates': [changed({ schedulingGates: [{ name: 'g' }] }), 'forbidden spec.schedulingGates[0]'],
  'identity': [changed({}, { name: 'y', namespace: 'z', uid: 'w', creationTimestamp: '2026-01-02T00:00:00Z', generation: 1 }), 'invalid metadata.creationTimestamp', 'invalid metadata.generation', 'invalid metadata.name', 'invalid metadata.namespace', 'invalid metadata.uid'],
}, oldPod);

const dying: Json = { ...oldPod, metadata: { ...(oldPod['metadata'] as Json), deletionTimestamp: '2026-01-03T00:00:00Z', deletionGracePeriodSeconds: 30 } };
testFaults(Pod, {
  'a finalizer less while it goes': [{ ...dying, metadata: { ...(dying['metadata'] as Json), finalizers: [] } }],
  'a new finalizer while it goes': [{ ...dying, metadata: { ...(dying['metadata'] as Json), finalizers: ['a.b/c', 'a.b/d'] } }, 'forbidden metadata.finalizers'],
}, dying);

const gated: Json = podSpec({ nodeSelector: { a: 'b' }, schedulingGates: [{ name: 'g' }, { name: 'h' }] });
testFaults(Pod, {
  'a gate less and a narrower choice of nodes': [podSpec({ nodeSelector: { a: 'b', c: 'd' }, schedulingGates: [{ name: 'h' }] })],
  'a wider choice of nodes': [podSpec({ nodeSelector: { c: 'd' }, schedulingGates: [{ name: 'g' }] }), 'invalid spec.nodeSelector'],
}, gated);

const labels = { matchLabels: { a: 'b' } };
const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [container()] } };
const workload = (more: Json = {}): Json => ({ spec: { selector: labels, template, ...more } });
const strategy = 'spec.strategy.rollingUpdate';

testFaults(Deployment, {
  'good': [workload()],
  'nothing said': [{ spec: {} }, 'required spec.selector', 'required spec.template.spec.containers'],
  'a template without containers': [workload({ template: { metadata: template.metadata } }), 'required spec.template.spec.containers'],
  'numbers below zero': [workload({ replicas: -1, minReadySeconds: -1, revisionHistoryLimit: -1, progressDeadlineSeconds: -1 }), 'invalid spec.minReadySeconds', 'invalid spec.progressDeadlineSeconds', 'invalid spec.replicas', 'invalid spec.revisionHistoryLimit'],
  'a deadline within the time to be ready': [workload({ minReadySeconds: 600 }), 'invalid spec.progressDeadlineSeconds'],
  'an empty selector': [workload({ selector: {} }), 'invalid spec.selector'],
  'ports on the host network': [workload({ template: { ...template, spec: { hostNetwork: true, containers: [container({ ports: [{ containerPort: 80 }] })] } } })],
  'other ports on the host network': [workload({ template: { ...template, spec: { hostNetwork: true, containers: [container({ ports: [{ containerPort: 80, hostPort: 81 }] })] } } }), 'invalid spec.template.spec.containers[0].ports[0].hostPort'],
  'a selector that is no selector': [workload({ selector: { matchExpressions: [{ key: 'a', operator: 'Is' }] } }), 'invalid spec.selector.matchExpressions[0].operator'],
  'a selector for others': [workload({ selector: { matchLabels: { a: 'c' } } }), 'invalid spec.template.metadata.labels'],
  'template': [workload({ template: { metadata: { labels: { a: 'b', 'c d': '' } }, spec: { containers: [container({ name: 'A' })], restartPolicy: 'Never', activeDeadlineSeconds: 5 } } }),
    'forbidden spec.template.spec.activeDeadlineSeconds', 'invalid spec.template.metadata.labels', 'invalid spec.template.spec.containers[0].name', 'unsupported spec.template.spec.restartPolicy'],
  'strategy': [workload({ strategy: { type: 'BlueGreen' } }), 'unsupported spec.strategy.type'],
  'recreate bit by bit': [workload({ strategy: { type: 'Recreate', rollingUpdate: {} } }), `forbidden ${strategy}`],
  'amounts': [workload({ strategy: { rollingUpdate: { maxSurge: -1, maxUnavailable: '101%' } } }), `invalid ${strategy}.maxSurge`, `invalid ${strategy}.maxUnavailable`],
  'amounts that are none': [workload({ strategy: { rollingUpdate: { maxSurge: 'some', maxUnavailable: '5' } } }), `invalid ${strategy}.maxSurge`, `invalid ${strategy}.maxUnavailable`],
  'no way to go on': [workload({ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } }), `invalid ${strategy}.maxUnavailable`],
});
testFaults(Deployment, { 'another selector': [workload({ selector: { matchLabels: { a: 'b', c: 'd' } }, template: { ...template, metadata: { labels: { a: 'b', c: 'd' } } } }), 'invalid spec.selector'], 'another template': [workload({ template: { ...template, spec: { containers: [container({ name: 'z' })] } } })] }, workload());
testFaults(ReplicaSet, { 'good': [workload()], 'bad': [workload({ replicas: -1, selector: {} }), 'invalid spec.replicas', 'invalid spec.selector'], 'no template': [{ spec: { selector: labels } }, 'invalid spec.template.metadata.labels', 'required spec.template.spec.containers'] });

const service = (more: Json = {}): Json => ({ spec: { ports: [{ port: 80 }], ...more } });
testFaults(Service, {
  'good': [service()], 'headless without ports': [service({ ports: [], clusterIP: 'None' })], 'external': [{ spec: { type: 'ExternalName', externalName: 'example.com.' } }],
  'name': [{ ...service(), metadata: { name: '1a' } }, 'invalid metadata.name'],
  'no ports': [service({ ports: [] }), 'required spec.ports'],
  'ports': [service({ ports: [{ port: 0, name: 'a' }, { port: 80, name: 'A', targetPort: 70_000 }, { port: 81, targetPort: 'NO' }, { port: 82, name: 'a', nodePort: 30_000 }, { port: 82, name: 'b', appProtocol: 'a b' }, { name: 'c' }] }),
    'duplicate spec.ports[3].name', 'duplicate spec.ports[4]', 'forbidden spec.ports[3].nodePort', 'invalid spec.ports[0].port', 'invalid spec.ports[1].name', 'invalid spec.ports[1].targetPort', 'invalid spec.ports[2].targetPort', 'invalid spec.ports[4].appProtocol', 'required spec.ports[2].name', 'required spec.ports[5].port'],
  'one port for two protocols': [service({ ports: [{ port: 53, name: 'a' }, { port: 53, name: 'b', protocol: 'UDP' }] })],
  'node ports': [service({ type: 'NodePort', ports: [{ port: 1, name: 'a', nodePort: 30_001 }, { port: 2, name: 'b', nodePort: 30_001 }, { port: 3, name: 'c', nodePort: 70_000 }] }), 'duplicate spec.ports[1].nodePort', 'invalid spec.ports[2].nodePort'],
  'words': [service({ type: 'Direct', sessionAffinity: 'Cookie', internalTrafficPolicy: 'Near', ipFamilyPolicy: 'Any' }), 'unsupported spec.internalTrafficPolicy', 'unsupported spec.ipFamilyPolicy', 'unsupported spec.sessionAffinity', 'unsupported spec.type'],
  'addresses': [service({ clusterIP: '10.0.0', clusterIPs: ['10.0.0.1'], externalIPs: ['x', '127.0.0.1'] }), 'invalid spec.clusterIP', 'invalid spec.clusterIPs[0]', 'invalid spec.externalIPs[0]', 'invalid spec.externalIPs[1]'],
  'families': [service({ ipFamilies: ['IPv4', 'IPv5', 'IPv4'], ipFamilyPolicy: 'PreferDualStack' }), 'duplicate spec.ipFamilies[2]', 'many spec.ipFamilies', 'unsupported spec.ipFamilies[1]'],
  'a family that the address has not': [service({ clusterIP: '10.0.0.1', ipFamilies: ['IPv6'] }), 'invalid spec.clusterIPs[0]'],
  'headless node ports': [service({ type: 'NodePort', clusterIP: 'None' }), 'invalid spec.clusterIPs[0]'],
  'external name': [{ spec: { type: 'ExternalName', clusterIP: '10.0.0.1', internalTrafficPolicy: 'Local' } }, 'forbidden spec.clusterIP', 'forbidden spec.internalTrafficPolicy', 'required spec.externalName'],
  'external policies': [service({ externalTrafficPolicy: 'Local', healthCheckNodePort: 30_000, loadBalancerSourceRanges: ['10.0.0.0'], loadBalancerClass: 'x' }),
    'forbidden spec.loadBalancerClass', 'forbidden spec.loadBalancerSourceRanges', 'invalid spec.externalTrafficPolicy', 'invalid spec.healthCheckNodePort', 'invalid spec.loadBalancerSourceRanges[0]'],
  'affinity': [service({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 86_401 } } }), 'invalid spec.sessionAffinityConfig.clientIP.timeoutSeconds'],
  'affinity without need': [service({ sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } }), 'forbidden spec.sessionAffinityConfig'],
  'selector': [service({ selector: { 'a b': '-' } }), 'invalid spec.selector', 'invalid spec.selector'],
});
testFaults(Service, { 'another address': [service({ clusterIP: '10.0.0.2' }), 'invalid spec.clusterIPs[0]'], 'no address said': [service()], 'to an external name': [{ spec: { type: 'ExternalName', externalName: 'e.x' } }] }, service({ clusterIP: '10.0.0.1' }));

const mebibyte = 1024 * 1024;
testFaults(ConfigMap, {
  'keys': [{ data: { 'a/b': '', '..': '', 'c': '' }, binaryData: { c: 'YQ==', d: 'no' } }, 'invalid binaryData[d]', 'invalid data[..]', 'invalid data[a/b]', 'invalid data[c]'],
  'size': [{ data: { a: 'x'.repeat(mebibyte), b: 'x' } }, 'long data'], 'the largest': [{ data: { a: 'ü'.repeat(mebibyte / 2) } }],
});
testFaults(ConfigMap, {
  'labels of an immutable one': [{ data: { a: 'b' }, immutable: true, metadata: { labels: { c: 'd' } } }],
  'values of an immutable one': [{ data: { a: 'c' }, immutable: true }, 'forbidden data'],
  'mutable again': [{ data: { a: 'b' } }, 'forbidden immutable'],
}, { data: { a: 'b' }, immutable: true });
testFaults(Secret, {
  'keys and values': [{ data: { 'a b': 'YQ==', c: '?' }, stringData: { '.': 'x' } }, 'invalid data[.]', 'invalid data[a b]', 'invalid data[c]'],
  'size': [{ stringData: { a: 'x'.repeat(mebibyte + 1) } }, 'long data'], 'the largest': [{ stringData: { a: 'x'.repeat(mebibyte) } }],
  'tls': [{ type: 'kubernetes.io/tls', stringData: { 'tls.crt': 'x' } }, 'required data[tls.key]'],
  'ssh': [{ type: 'kubernetes.io/ssh-auth' }, 'required data[ssh-privatekey]'],
  'basic': [{ type: 'kubernetes.io/basic-auth' }, 'required data[password]', 'required data[username]'], 'basic with one': [{ type: 'kubernetes.io/basic-auth', stringData: { username: 'u' } }],
  'docker': [{ type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': '{' } }, 'invalid data[.dockerconfigjson]'],
  'token': [{ type: 'kubernetes.io/service-account-token' }, 'required metadata.annotations[kubernetes.io/service-account.name]'],
  'a type like a member of all objects': [{ type: 'constructor' }],
});
testFaults(Secret, { 'another type': [{ type: 'b' }, 'invalid type'] }, { type: 'a' });

testFaults(Node, {
  'taints': [{ spec: { taints: [{ key: 'a b', effect: 'NoSchedule', value: '-' }, { key: 'a', effect: 'Never' }, { key: 'c', effect: 'NoSchedule' }, { key: 'c', effect: 'NoSchedule', value: 'x' }, { key: 'c', effect: 'NoExecute' }, { effect: 'NoExecute' }] } },
    'duplicate spec.taints[3]', 'invalid spec.taints[0].key', 'invalid spec.taints[0].value', 'required spec.taints[5].key', 'unsupported spec.taints[1].effect'],
  'ranges': [{ spec: { podCIDR: '10.0.0.0/24', podCIDRs: ['10.0.1.0/24', 'x'] } }, 'invalid spec.podCIDRs', 'invalid spec.podCIDRs[1]'],
  'amounts': [{ status: { capacity: { cpu: '-1', memory: 'x', pods: '1500m' } } }, 'invalid status.allocatable[cpu]', 'invalid status.allocatable[memory]', 'invalid status.allocatable[pods]', 'invalid status.capacity[cpu]', 'invalid status.capacity[memory]', 'invalid status.capacity[pods]'],
  'addresses': [{ status: { addresses: [{ type: 'InternalIP', address: '10.0.0.1' }, { type: 'InternalIP', address: '10.0.0.2' }, { type: 'InternalIP', address: '10.0.0.1' }] } }, 'duplicate status.addresses[2]'],
});
testFaults(Node, { 'another range': [{ spec: { podCIDR: '10.0.1.0/24', providerID: 'q' } }, 'forbidden spec.podCIDRs', 'forbidden spec.providerID'] }, { spec: { podCIDR: '10.0.0.0/24', providerID: 'p' } });
testFaults(Node, { 'a first range': [{ spec: { podCIDR: '10.0.1.0/24', providerID: 'q' } }] }, {});

testFaults(Endpoints, { 'subsets': [{ subsets: [{}, { addresses: [{ ip: '127.0.0.1', hostname: 'A' }, { ip: '0.0.0.0' }, { ip: '169.254.1.1' }, {}], ports: [{ port: 0, name: 'a' }, { port: 1 }] }] },
  'invalid subsets[1].addresses[0].hostname', 'invalid subsets[1].addresses[0].ip', 'invalid subsets[1].addresses[1].ip', 'invalid subsets[1].addresses[2].ip', 'invalid subsets[1].ports[0].port', 'required subsets[0]', 'required subsets[1].addresses[3].ip', 'required subsets[1].ports[1].name'] });
testFaults(EndpointSlice, {
  'no type': [{ endpoints: [{ addresses: ['10.0.0.1'] }] }, 'required addressType'],
  'another type': [{ addressType: 'IPX', endpoints: [{ addresses: ['x'] }] }, 'unsupported addressType'],
  'endpoints': [{ addressType: 'IPv4', endpoints: [{ addresses: [] }, { addresses: ['::1', '127.0.0.1'], nodeName: 'N!', hostname: '-' }, { addresses: ['10.0.0.1', '10.0.0.1'] }], ports: [{ port: 0, name: 'a' }, { name: 'a' }, { appProtocol: 'a b', name: 'B' }] },
    'duplicate endpoints[2].addresses[1]', 'duplicate ports[1].name', 'invalid endpoints[1].addresses[0]', 'invalid endpoints[1].addresses[1]', 'invalid endpoints[1].hostname', 'invalid endpoints[1].nodeName', 'invalid ports[0].port', 'invalid ports[2].appProtocol', 'invalid ports[2].name', 'required endpoints[0].addresses'],
  'as many as may be': [{ addressType: 'FQDN', endpoints: Array.from({ length: 1000 }, () => ({ addresses: ['a.b'] })) }],
  'too many endpoints': [{ addressType: 'FQDN', endpoints: Array.from({ length: 1001 }, () => ({ addresses: ['a.b'] })) }, 'many endpoints'],
  'too many addresses': [{ addressType: 'IPv4', endpoints: [{ addresses: Array.from({ length: 101 }, (_, index) => `10.0.0.${index}`) }] }, 'many endpoints[0].addresses'],
});
testFaults(EndpointSlice, { 'the sort of addresses': [{ addressType: 'FQDN' }, 'invalid addressType'] }, { addressType: 'IPv4' });
testFaults(Lease, { 'length': [{ spec: { leaseDurationSeconds: 0, leaseTransitions: -1 } }, 'invalid spec.leaseDurationSeconds', 'invalid spec.leaseTransitions'], 'time': [{ spec: { renewTime: 'now' } }, 'invalid spec.renewTime'] });
testFaults(Event, {
  'namespace': [{ involvedObject: { namespace: 'other' } }, 'invalid involvedObject.namespace'], 'about a cluster kind': [{ involvedObject: {}, metadata: { namespace: 'default' } }],
  'no object': [{}, 'required involvedObject'], 'the newer sort': [{ involvedObject: { namespace: 'ns' }, eventTime: '2026-01-01T00:00:00Z' }, 'required action', 'required reason', 'required reportingController', 'unsupported type'],
});

test('a refused update of a pod says what was changed', (t) => {
  const old = stored(Pod, oldPod);
  const message = validate(Pod, stored(Pod, changed({ nodeName: 'm', hostname: 'h', containers: [container({ command: ['x'], env: [] })] }), old), old)[0]?.message ?? '';
  t.regex(message, /^Forbidden: pod updates may not change fields other than .*; changed: /);
  for (const path of ['spec.nodeName', 'spec.hostname', 'spec.containers[0].command']) t.true(message.includes(path), message);
});

test('a secret is not shown when it is refused', (t) => {
  const errors = validate(Secret, stored(Secret, { type: 'kubernetes.io/dockercfg', stringData: { '.dockercfg': 'hunter2' } }));
  t.is(errors.length, 1);
  t.false(/hunter2|aHVudGVyMg/.test(JSON.stringify(errors)));
});

test('the status of a pod is checked when it is written', (t) => {
  const old = stored(Pod, { ...podSpec({ restartPolicy: 'Never' }), status: { containerStatuses: [{ name: 'a', image: '', imageID: '', ready: false, restartCount: 0, state: { terminated: { exitCode: 0 } } }] } });
  const write = (status: Json): readonly string[] => validateStatus(Pod, stored(Pod, { ...podSpec({ restartPolicy: 'Never' }), status }), old).map((error) => error.field);
  t.deepEqual(write({ podIP: 'x', podIPs: [{ ip: 'y' }], hostIP: 'z', conditions: [{ type: 'a b', status: 'True' }] }), ['status.podIPs[0].ip', 'status.podIP', 'status.podIPs', 'status.hostIP', 'status.conditions[0].type']);
  t.deepEqual(write({ containerStatuses: [{ name: 'a', image: '', imageID: '', ready: true, restartCount: 1, state: { running: {} } }] }), ['status.containerStatuses[0].state']);
  t.deepEqual(write({ containerStatuses: [{ name: 'a' }] }), ['image', 'imageID', 'ready', 'restartCount'].map((name) => `status.containerStatuses[0].${name}`));
});

test('ephemeral containers are only added, and are bare', (t) => {
  const body = (...containers: readonly Json[]): never => stored(Pod, podSpec({ ephemeralContainers: containers })) as never;
  const debug = container({ name: 'e', targetContainerName: 'a' });
  const fields = (now: never, old: never): readonly string[] => validateEphemeralContainersUpdate(now, old).map((error) => `${error.field}: ${error.message}`);
  t.deepEqual(fields(body(debug), body()), []);
  t.regex(fields(body(), body(debug)).join(), /spec.ephemeralContainers: .*may not be removed/);
  t.regex(fields(body({ ...debug, image: 'b' }), body(debug)).join(), /may not be changed/);
  t.regex(fields(body({ ...debug, ports: [{ containerPort: 1 }], targetContainerName: 'z' }), body()).join(), /\[0\]\.ports: Forbidden.*\[0\]\.targetContainerName: Not found: "z"/);
});

const rich: Json = {
  metadata: { labels: { a: 'b' }, annotations: { a: 'b' }, ownerReferences: [{ apiVersion: 'v1', kind: 'A', name: 'a', uid: 'u' }], finalizers: ['a.b/c'] },
  spec: {
    replicas: 1, selector: labels, strategy: { rollingUpdate: { maxSurge: 1 } }, ports: [{ port: 80, name: 'http', targetPort: 'http' }], taints: [{ key: 'a', effect: 'NoSchedule' }],
    containers: [container()], affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }] } } },
    template: { metadata: { labels: { a: 'b' } }, spec: {
      containers: [container({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }], livenessProbe: { httpGet: { port: 80 } }, lifecycle: { preStop: { exec: { command: ['x'] } } }, volumeMounts: [{ name: 'v', mountPath: '/v' }], resources: { limits: { cpu: '1' }, requests: { cpu: '1' } } })],
      volumes: [{ name: 'v', projected: { sources: [{ configMap: { name: 'c', items: [{ key: 'k', path: 'p' }] } }] } }], tolerations: [{ key: 'a', operator: 'Exists' }],
      topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'DoNotSchedule', labelSelector: labels }], securityContext: { sysctls: [{ name: 'a.b', value: 'c' }] }, dnsConfig: { nameservers: ['1.1.1.1'] },
    } },
  },
  status: { conditions: [{ type: 'A', status: 'True' }], addresses: [{ type: 'a', address: 'b' }] }, subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 1 }] }],
  endpoints: [{ addresses: ['10.0.0.1'] }], ports: [{ port: 1 }], addressType: 'IPv4', involvedObject: { namespace: 'ns' }, data: { a: 'YQ==' }, immutable: true, type: 'a',
};

/** What fits the kind at all: some have other types at the same paths. */
const richFor = (kind: AnyKind): Json => {
  if (kind !== Service && kind !== Lease) return rich;
  const { selector: _, strategy: __, ...spec } = rich['spec'] as Json;
  return { ...rich, spec: { ...spec, ...(kind === Service ? { selector: { a: 'b' } } : { holderIdentity: 'me' }) } };
};

/** All places of a JSON value, as lists of keys. */
const places = (value: unknown, path: readonly string[] = []): readonly (readonly string[])[] =>
  typeof value === 'object' && value !== null ? [path, ...Object.entries(value).flatMap(([key, one]) => places(one, [...path, key]))] : [path];

const all = places(rich).filter((path) => path.length > 0);
const values: readonly unknown[] = [undefined, null, '', 'x', 0, -1, true, [], {}, [null], [{}], ['x', 'x'], { a: {} }];

test('however an object is spoilt, it is taken or refused, and nothing breaks', (t) => {
  const kinds: readonly AnyKind[] = [Pod, Deployment, ReplicaSet, Service, ConfigMap, Secret, Node, Namespace, Endpoints, EndpointSlice, Lease, Event];
  const old = new Map(kinds.map((kind) => [kind.kind, stored(kind, richFor(kind))]));
  fc.assert(fc.property(fc.constantFrom(...old.keys()), fc.array(fc.tuple(fc.constantFrom(...all), fc.constantFrom(...values)), { minLength: 1, maxLength: 3 }), (name, changes) => {
    const kind = kinds.find((one) => one.kind === name) ?? Pod;
    const body = structuredClone(richFor(kind));
    for (const [path, value] of changes) {
      let at: unknown = body;
      for (const key of path.slice(0, -1)) at = typeof at === 'object' && at !== null ? (at as Json)[key] : undefined;
      if (typeof at === 'object' && at !== null) (at as Json)[path.at(-1) ?? ''] = value;
    }
    try {
      const object = stored(kind, body);
      for (const before of [undefined, old.get(name)]) {
        const errors = validate(kind, object, before);
        if (errors.some((error) => error.message === '' || /undefined|NaN/.test(error.field))) return false;
        if (errors.length === 0 && kind.columns.some((column) => !['string', 'number'].includes(typeof column.cell(object as never, 0)))) return false;
      }
    } catch (error) {
      if (!(error instanceof ApiError) || error.reason !== 'BadRequest') throw error;
    }
    return true;
  }), { numRuns: 1500 });
  t.pass();
});
